"""What the check `network` finds in inventories and data files, and what it leaves alone."""

import time
from pathlib import Path

import pytest

from gitops_hooks.edge.checks import run_checks
from gitops_hooks.edge.workbench import Asked, Grounds
from gitops_hooks.model.server import Limits
from gitops_hooks.plugin import EdgeError
from gitops_hooks.plugins.network_check import gitops_checks
from gitops_hooks.testing import MemoryTree, a_change, run_check

(CHECK,) = gitops_checks()
HOSTS = b"[web]\nweb1 ansible_host=10.0.0.5\nweb2 ansible_host=10.0.0.6\n"
PLAN = b"""subnets:
  - name: office
    subnet: 10.0.0.0/24
    gateway: 10.0.0.1
  - name: lab
    subnet: 10.0.1.0/24
"""


def findings(files: dict[str, bytes], changed=None, target=None, **options) -> list[str]:
    found = run_check(CHECK, files, changed=changed, target=target, options=options)
    return [f"{finding.path}:{finding.line}: {finding.message}" for finding in found]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"address: 10.0.0.300\n", "address 10.0.0.300 is none: each part is at most 255"),
        (b"address: 10.0.0.1/33\n", "address 10.0.0.1/33 is none: a length is at most 32"),
        (b"ip: 10.0.0.1.2\n", "address 10.0.0.1.2 is none: there are four parts"),
        (b"ip: [10.0.0.1, 10.0.0.999]\n", "address 10.0.0.999 is none: each part is at most 255"),
        (b"ip: 10.0.0.010\n", "address 10.0.0.010 is none: a leading zero is read as eights by some"),
        (b"ipv6: 2001:db8::1::2\n", "address 2001:db8::1::2 is none: it cannot be read"),
        (b"ipv6: fe80::1/200\n", "address fe80::1/200 is none: a length is at most 128"),
        (b"subnet: 10.0.0.1/24\n", "subnet 10.0.0.1/24 is none: it has host bits; the prefix is 10.0.0.0/24"),
        (b"prefix: 10.0.0.0/64\n", "subnet 10.0.0.0/64 is none: a length is at most 32"),
        (b"next_hop: 10.0.0.256\n", "next hop 10.0.0.256 is none: each part is at most 255"),
        (b"vlan: 4095\n", "vlan 4095 is none: a VLAN is 1 to 4094"),
        (b"vlan_id: 0\n", "vlan 0 is none: a VLAN is 1 to 4094"),
    ],
)
def test_what_is_not_well_formed_is_told_with_its_line(text, said):
    assert findings({"network/a.yml": b"---\n" + text}) == [f"network/a.yml:2: {said}"]


@pytest.mark.parametrize(
    "text",
    [
        b"address: Main Street 5\nip: dhcp\nansible_host: web1.example.org\n",
        b"address: '{{ base }}.5'\nsubnet: '{{ net }}'\nvlan: '{{ vlan }}'\n",
        b"address: aa:bb:cc:dd:ee:ff\nip: 00:11:22\n",
        b"prefix: 24\nvlan: 10-20\nvlan_id: office\nnetwork: lan\n",
        b"address: 10.0.0.1/24\nipv6: fe80::1%eth0\nsubnet: 0.0.0.0/0\n",
        b"gateway: 10.0.0.1\n",
        b"version: 1.2.3\nport: 80\n",
        b"",
    ],
)
def test_names_templates_ranges_and_other_words_are_left_alone(text):
    assert findings({"network/a.yml": text}) == []


def test_an_address_that_two_hosts_have_is_told_once_with_both_places():
    files = {
        "inventories/prod/hosts": HOSTS,
        "host_vars/db1.yml": b"ansible_host: 10.0.0.6\n",
        "network/r.yml": b"routers:\n  - name: r1\n    interfaces:\n      - {name: eth0, address: 10.0.0.5/24}\n",
    }
    assert findings(files) == [
        "inventories/prod/hosts:3: address 10.0.0.6 of web2 is db1's too (host_vars/db1.yml:1)",
        "network/r.yml:4: address 10.0.0.5 of r1 is web1's too (inventories/prod/hosts:2)",
    ]


def test_yaml_inventories_are_read_host_by_host():
    hosts = b"        a: {ansible_host: 10.0.0.5}\n        b: {ansible_host: 10.0.0.5}\n"
    text = b"all:\n  children:\n    web:\n      hosts:\n" + hosts
    assert findings({"inventory/hosts.yml": text}) == [
        "inventory/hosts.yml:6: address 10.0.0.5 of b is a's too (inventory/hosts.yml:5)"
    ]


def test_one_host_in_several_files_and_what_a_group_mentions_are_no_duplicates():
    files = {
        "inventories/prod/hosts": HOSTS,
        "inventories/test/hosts": HOSTS,
        "host_vars/web1/main.yml": b"ip: 10.0.0.5\ninterfaces: {eth0: {address: 10.0.0.5/24}}\n",
        "group_vars/all.yml": b"ntp: {address: 10.0.0.5}\ndns: [{name: ns, address: 10.0.0.6}]\n",
        "network/loop.yml": b"hosts:\n  x: {ip: 127.0.0.1}\n  y: {ip: 127.0.0.1}\n",
    }
    assert findings(files) == []


def test_shared_addresses_and_vrfs_are_no_duplicates():
    files = {"network/a.yml": b"hosts:\n  a: {ip: 10.0.0.1}\n  b: {ip: 10.0.0.1}\n"}
    assert len(findings(files)) == 1
    assert findings(files, shared=("10.0.0.0/30",)) == findings(files, shared=("10.0.0.1",)) == []
    apart = {"network/a.yml": b"hosts:\n  a: {ip: 10.0.0.1, vrf: red}\n  b: {ip: 10.0.0.1, vrf: blue}\n"}
    assert findings(apart) == []


def test_subnets_of_plans_that_overlap_are_told():
    more = b"networks:\n  dmz: {prefix: 10.0.1.128/25}\n  other: {prefix: 10.1.0.0/16}\n  same: {prefix: 10.0.0.0/24}\n"
    assert findings({"network/a.yml": PLAN, "network/b.yml": more}) == [
        "network/b.yml:2: subnet 10.0.1.128/25 of dmz overlaps 10.0.1.0/24 of lab (network/a.yml:6)",
        "network/b.yml:4: subnet 10.0.0.0/24 of same overlaps 10.0.0.0/24 of office (network/a.yml:3)",
    ]


def test_lists_of_plain_prefixes_are_plans_too():
    assert findings({"network/a.yml": b"subnets: [10.0.0.0/8, 10.2.0.0/16, 192.168.0.0/24]\n"}) == [
        "network/a.yml:1: subnet 10.2.0.0/16 of 10.2.0.0/16 overlaps 10.0.0.0/8 of 10.0.0.0/8 (network/a.yml:1)"
    ]


def test_a_subnet_inside_the_entry_of_a_larger_one_and_prefixes_that_are_only_mentioned_do_not_overlap():
    site = b"prefixes:\n  - name: site\n    prefix: 10.0.0.0/16\n    subnets:\n      - {name: a, subnet: 10.0.1.0/24}\n"
    lists = b"acl:\n  - {permit: yes, prefix: 10.0.0.0/8}\nroutes: [{prefix: 10.0.1.0/24, next_hop: 10.0.1.1}]\n"
    files = {"network/a.yml": site, "network/acl.yml": lists}
    assert findings(files) == []


def test_a_next_hop_outside_of_every_known_subnet_is_told():
    routes = b"routes:\n  - {prefix: 10.9.0.0/16, next_hop: 10.0.2.1}\n  - {prefix: 0.0.0.0/0, next_hop: 10.0.1.1}\n"
    files = {"network/a.yml": PLAN, "network/routes.yml": routes}
    assert findings(files) == [
        "network/routes.yml:2: next hop 10.0.2.1 is in no subnet that is known; is it mistyped, or its subnet missing?"
    ]
    assert findings(files, known=("10.0.2.0/24",)) == []
    assert findings({"network/routes.yml": routes}) == []


def test_interfaces_make_subnets_known():
    text = (
        b"address: 10.5.0.2\nnetmask: 255.255.255.0\ngateway: 10.5.0.1\nother: {ip: 10.6.0.9/30, next_hop: 10.6.0.10}\n"
    )
    assert findings({"host_vars/r1.yml": text}) == []
    assert len(findings({"host_vars/r1.yml": text.replace(b"gateway: 10.5.0.1", b"gateway: 10.5.1.1")})) == 1


def test_a_vlan_with_two_names_is_told_within_what_shares_it():
    one = b"vlans:\n  - {id: 10, name: office}\n  - {id: 20, name: lab}\n"
    two = (
        b"vlans:\n  10: {name: guests}\n  20: {name: lab}\nports:\n  - {name: p1, vlan: 10}\n  - {name: p2, vlan: 10}\n"
    )
    near = {"network/a.yml": one, "network/b.yml": two}
    far = {"network/a/v.yml": one, "network/b/v.yml": two}
    assert findings(near) == [
        "network/b.yml:2: VLAN 10 is guests here and office elsewhere (network/a.yml:2)",
    ]
    assert findings(near, vlan_scope="file") == findings(far) == []
    assert len(findings(far, vlan_scope="all")) == 1
    assert findings({"network/a.yml": b"vlans:\n  - {id: 5000, name: x}\n"}) == [
        "network/a.yml:2: vlan 5000 is none: a VLAN is 1 to 4094"
    ]


OLD = {"network/old.yml": b"hosts:\n  a: {ip: 10.0.0.1}\n  b: {ip: 10.0.0.1}\n"}


def test_faults_that_were_there_and_that_the_change_does_not_touch_are_not_told():
    files = {**OLD, "network/new.yml": b"hosts: {c: {ip: 10.0.0.2}}\n"}
    assert findings(files, changed=["network/new.yml"], target=OLD) == []
    assert len(findings(files, changed=list(files), target=OLD)) == 1


def test_what_a_change_causes_in_files_that_it_leaves_alone_is_told():
    files = {"network/plan.yml": PLAN, "network/routes.yml": b"next_hop: 10.0.1.9\n"}
    shrunk = {**files, "network/plan.yml": PLAN.replace(b"10.0.1.0/24", b"10.0.1.0/29")}
    assert findings(shrunk, changed=["network/plan.yml"], target=files) == [
        "network/routes.yml:1: next hop 10.0.1.9 is in no subnet that is known; is it mistyped, or its subnet missing?"
    ]


def test_files_that_no_glob_names_are_not_read_and_a_change_of_others_asks_nothing():
    class Watched(MemoryTree):
        def read(self, path):
            raise AssertionError(path)

    tree = Watched({"docs/a.yml": b"address: 10.0.0.300\n", "network/b.yml": b"address: 10.0.0.300\n"})
    options = {option.name: option.default for option in CHECK.options}
    from gitops_hooks.plugins.network_judge import judge_network

    assert list(judge_network(a_change(tree, ["docs/a.yml"]), tree, tree, options)) == []
    assert findings({"docs/a.yml": b"address: 10.0.0.300\n"}, paths=("docs/*.yml",)) != []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"address: [\n", "2: did not find expected node content, while parsing a flow node"),
        (b"address: \xff\n", "1: not UTF-8; save the file as UTF-8"),
        (b"address: " + b"[" * 30000, "1: nested deeper than 64 levels"),
        (b"address: 1\naddress: 2\n", "2: duplicate key 'address', first on line 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(text, said):
    assert findings({"network/a.yml": text}) == [f"network/a.yml:{said}; what is not read cannot be judged"]
    other = {"network/a.yml": text, "network/b.yml": b"address: 10.0.0.1\n"}
    assert findings(other, changed=["network/b.yml"], target={"network/a.yml": text}) == []


@pytest.mark.parametrize("option", ["shared", "known"])
def test_an_option_that_is_no_prefix_is_an_error(option):
    with pytest.raises(EdgeError) as caught:
        findings({"network/a.yml": b"address: 10.0.0.1\n"}, **{option: ("10.0.0.300",)})
    assert str(caught.value) == f"{option}: '10.0.0.300' is neither an address nor a prefix"


def test_more_files_than_are_read_is_an_error():
    files = {f"network/{number}.yml": b"" for number in range(5001)}
    with pytest.raises(EdgeError) as caught:
        findings(files)
    assert str(caught.value) == (
        "paths: they name more than 5000 files or 32 MiB; narrow them in the policy (checks: network: paths)"
    )


def confined(files: dict[str, bytes], seconds: float = 20.0):
    tree = MemoryTree(files)
    asked = [Asked(CHECK, {option.name: option.default for option in CHECK.options})]
    limits = Limits(check_seconds=seconds)
    grounds = Grounds("c" * 40, tree, MemoryTree({}), tree, (), Path("/nowhere"))
    return run_checks(asked, a_change(tree), grounds, limits)[0]


def test_it_runs_confined_as_on_a_server():
    assert [finding.line for finding in confined({"network/a.yml": b"address: 10.0.0.300\n"}).findings] == [1]


def test_fifty_thousand_hosts_and_thirty_thousand_overlaps_are_judged_in_time():
    hosts = "".join(f"h{n} ansible_host=10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(50_000)).encode()
    nets = b"subnets:\n" + b"- 10.0.0.0/8\n" * 30_000
    began = time.monotonic()
    verdict = confined({"inventories/hosts": hosts, "network/plan.yml": nets})
    assert verdict.detail == ""
    assert time.monotonic() - began < 15
