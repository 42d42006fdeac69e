"""Stories of files that make others run programs or ask addresses, and of sizes that nobody can hold."""

from tests.hostile.ground import Ground
from tests.hostile.huge import SIZE, lay_huge_blob
from tests.push.desk import MAIN

CHECK_SECONDS = 20


def test_an_external_data_source_of_terraform_runs_nothing(ground: Ground):
    program = f'data "external" "x" {{\n  program = ["touch", "{ground.canary}/x"]\n}}\n'
    told = ground.told("infra", {"a.tf": program})
    words = 'a.tf:1: data "external" "x" runs a program whenever a plan is made; whoever approves should know'
    assert told.startswith(f"checks {words} a.tf: ") or told == f"checks {words}"


def test_a_remote_base_of_a_kustomization_is_not_fetched(ground: Ground):
    base = f"http://{ground.address}/base?ref=main"
    assert ground.told("clusters", {"prod/kustomization.yaml": f"resources: ['{base}']\n"}) == (
        f"checks prod/kustomization.yaml: brings {base} from outside the repository, so what it makes was not looked at"
    )


def test_a_policy_that_would_ask_an_address_is_refused_by_its_line(ground: Ground):
    asks = f'http.send({{"method": "get", "url": "http://{ground.address}/"}})'
    rego = f"package main\n\nimport rego.v1\n\ndeny contains `x` if {{\n  {asks}.body\n}}\n"
    assert ground.told("rules", {"policy/a.rego": rego}) == (
        "checks policy/a.rego:6: http.send reaches outside; a verdict comes from what was pushed alone"
    )


def test_a_tree_of_ten_thousand_million_paths_is_counted_no_further_than_its_limit(ground: Ground):
    desk = ground.desk
    tree = desk.ask("mktree", text=f"100644 blob {desk.blob('x')}\tx.yml")
    for _ in range(10):
        tree = desk.ask("mktree", text="".join(f"040000 tree {tree}\t{name}\n" for name in range(10)))
    commit = desk.commit_tree("alice", tree, [desk.tip(MAIN)])
    assert "more than 20000 paths differ" in ground.told_of("documents", commit)


def test_a_gigabyte_and_a_half_in_a_small_pack_is_refused_by_its_size_and_nobody_holds_it(ground: Ground):
    desk = ground.desk
    blob = lay_huge_blob(desk.clone / "objects")
    entries = desk.ask("ls-tree", desk.tip(MAIN))
    tree = desk.ask("mktree", text=f"{entries}\n100644 blob {blob}\thuge.yml\n")
    told = ground.told_of("documents", desk.commit_tree("alice", tree, [desk.tip(MAIN)]))
    assert told == f"checks huge.yml: is {SIZE} bytes; at most 4194304 are read"
