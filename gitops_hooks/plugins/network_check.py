"""The check `network`: addresses, subnets, VLANs and next hops of inventories and data files go together."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import Change, Check, Finding, Option, OptionKind, Tool, Tree, Workbench, hookimpl

LOADED_AHEAD = (
    "gitops_hooks.plugins.network_judge",
    "gitops_hooks.plugins.network_rulesets",
    "gitops_hooks.plugins.network_tools",
)

_PATHS = (
    *("inventories/**", "inventory/**", "group_vars/**", "host_vars/**", "network/**"),
    *("hosts", "hosts.ini", "hosts.yml", "hosts.yaml", "inventory.ini", "inventory.yml", "inventory.yaml"),
)
OPTIONS = (
    Option("paths", OptionKind.GLOBS, _PATHS, "the files that describe one network together"),
    Option(
        "addresses",
        OptionKind.TEXTS,
        ("ansible_host", "address", "ip", "ip_address", "ipv4", "ipv6", "ipv4_address", "ipv6_address", "loopback"),
        "keys whose values are addresses, each of one owner",
    ),
    Option(
        "subnets",
        OptionKind.TEXTS,
        ("subnet", "prefix", "cidr", "network"),
        "keys whose values are prefixes, without host bits",
    ),
    Option(
        "plans",
        OptionKind.TEXTS,
        ("subnets", "networks", "prefixes", "vlans"),
        "keys of the lists and mappings that define subnets, none of which overlaps another, and VLANs",
    ),
    Option("vlans", OptionKind.TEXTS, ("vlan", "vlan_id", "vid"), "keys whose values are VLAN numbers"),
    Option("vlan_scope", OptionKind.TEXT, "folder", "where a VLAN has one name", choices=("file", "folder", "all")),
    Option(
        "next_hops",
        OptionKind.TEXTS,
        ("next_hop", "nexthop", "gateway", "default_gateway", "gateway4", "gateway6"),
        "keys whose values are routers that must lie in a known subnet",
    ),
    Option("shared", OptionKind.TEXTS, (), "addresses and prefixes that several may have: anycast, virtual addresses"),
    Option("known", OptionKind.TEXTS, (), "prefixes that are known though no file defines them"),
    Option("frr", OptionKind.GLOBS, (), "configurations of FRR, which its vtysh reads"),
    Option("interfaces", OptionKind.GLOBS, (), "files of ifupdown, which its ifquery reads"),
    Option("nftables", OptionKind.GLOBS, (), "rulesets of nftables, which nft holds against the kernel"),
)
TOOLS = (Tool("vtysh", ("--help",)), Tool("ifquery"), Tool("nft", own_network=True))


@hookimpl
def gitops_checks() -> Iterable[Check]:
    """One check; which files it reads, its options say."""
    says = "addresses, subnets, VLANs and next hops go together"
    return [Check("network", says, check_network, options=OPTIONS, tools=TOOLS)]


def check_network(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    # Imported where it is needed: the policy may ask for nothing of it.
    from gitops_hooks.plugins.network_judge import judge_network
    from gitops_hooks.plugins.network_rulesets import read_rulesets
    from gitops_hooks.plugins.network_tools import read_by_tools

    yield from judge_network(change, tree, bench.target, bench.options)
    yield from read_by_tools(change, tree, bench)
    yield from read_rulesets(change, tree, bench)
