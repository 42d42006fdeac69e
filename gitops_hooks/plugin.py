"""The guests' only door: everything that a plugin may import of ours."""

from gitops_hooks.core.approved_plan import plan_fault
from gitops_hooks.core.globs import matches, matches_any
from gitops_hooks.core.inventory import Inventory, read_inventory
from gitops_hooks.core.yaml_text import Marked, YamlFault, YamlLimits, parse_yaml
from gitops_hooks.edge.journal import write_journal
from gitops_hooks.edge.store import replace_file
from gitops_hooks.hookspec import (
    API_VERSION,
    Check,
    Deployer,
    Entry,
    Preview,
    Rendering,
    Side,
    Tree,
    Workbench,
    hookimpl,
)
from gitops_hooks.model.change import Change, ChangedFile
from gitops_hooks.model.command import Command
from gitops_hooks.model.credentials import OWN_HOST, Credentials
from gitops_hooks.model.deployment import (
    Deployment,
    HostOutcome,
    HostState,
    Outcome,
    Progress,
    RunState,
    Say,
    Step,
    Workplace,
    listed,
    summary,
)
from gitops_hooks.model.drift import Difference, Drift, HostDrift, Sync
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.kubernetes import Kubernetes, Prune
from gitops_hooks.model.news import News
from gitops_hooks.model.notice import Notice
from gitops_hooks.model.options import Option, OptionKind
from gitops_hooks.model.plan_found import HostPlan, Plan, Prospect
from gitops_hooks.model.policy import Environment
from gitops_hooks.model.push import Actor, ActorKind, Push
from gitops_hooks.model.rendered import WITHHELD, PlayReads, Rendered, Unrendered
from gitops_hooks.model.rollout import HealthCheck, HealthKind, Rollout, Share
from gitops_hooks.model.tool import Ran, Tool
from gitops_hooks.model.verdict import CheckOutcome, Decision, Finding, Requirement, Severity, Status, Verdict

__all__ = [
    "API_VERSION",
    "OWN_HOST",
    "WITHHELD",
    "Actor",
    "ActorKind",
    "Change",
    "ChangedFile",
    "Check",
    "CheckOutcome",
    "Command",
    "Credentials",
    "Decision",
    "Deployer",
    "Deployment",
    "Difference",
    "Drift",
    "EdgeError",
    "Entry",
    "Environment",
    "Finding",
    "HealthCheck",
    "HealthKind",
    "HostDrift",
    "HostOutcome",
    "HostPlan",
    "HostState",
    "Inventory",
    "Kubernetes",
    "Marked",
    "News",
    "Notice",
    "Option",
    "OptionKind",
    "Outcome",
    "Plan",
    "PlayReads",
    "Preview",
    "Progress",
    "Prospect",
    "Prune",
    "Push",
    "Ran",
    "Rendered",
    "Rendering",
    "Requirement",
    "Rollout",
    "RunState",
    "Say",
    "Severity",
    "Share",
    "Side",
    "Status",
    "Step",
    "Sync",
    "Tool",
    "Tree",
    "Unrendered",
    "Verdict",
    "Workbench",
    "Workplace",
    "YamlFault",
    "YamlLimits",
    "hookimpl",
    "listed",
    "matches",
    "matches_any",
    "parse_yaml",
    "plan_fault",
    "read_inventory",
    "replace_file",
    "summary",
    "write_journal",
]
