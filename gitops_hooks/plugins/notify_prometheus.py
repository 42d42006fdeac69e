"""Keeps a text file for the Prometheus node exporter: what every environment is, as of its last deployment's end."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from gitops_hooks.plugin import Deployment, EdgeError, Notice, Outcome, RunState, hookimpl, replace_file
from gitops_hooks.plugins.notify_words import Settings, counted

_HELP = {
    "gitops_environment_healthy": ("gauge", "Whether the last deployment of the environment succeeded."),
    "gitops_deployment_generation": ("gauge", "The number of the last deployment."),
    "gitops_deployment_end_timestamp_seconds": ("gauge", "When the last deployment ended."),
    "gitops_deployment_duration_seconds": ("gauge", "How long the last deployment took."),
    "gitops_deployment_hosts": ("gauge", "Hosts by what became of them in the last deployment."),
    "gitops_deployed_timestamp_seconds": ("gauge", "When a deployment succeeded last."),
    "gitops_deployments_total": ("counter", "Deployments that ended, by how."),
}
_LINE = re.compile(r'(\w+)\{repository="([^"]*)",environment="([^"]*)"(?:,\w+="(\w+)")?\} (\S+)')
_LARGEST = 4 * 1024 * 1024
Key = tuple[str, str, str, str]


@hookimpl
def gitops_settings(settings: Mapping[str, object]) -> Iterable[str]:
    read = Settings(settings)
    yield from read.unknown(("file",))
    path = Path(read.text("file"))
    if not path.is_absolute() or path.suffix != ".prom":
        yield "'file' must be a whole path that ends in .prom, in the folder that the node exporter reads"
    elif not path.parent.is_dir():
        yield f"'file': there is no folder {path.parent}"


@hookimpl
def gitops_deployed(deployment: Deployment, outcome: Outcome, notice: Notice) -> None:
    """Errors: EdgeError where the file cannot be written."""
    path = Path(Settings(notice.settings).text("file"))
    if deployment.look:
        return
    try:
        series = _read(path)
        # An end that is told twice is counted once. A repository of the same name that was added anew counts from 1.
        if _newest(series, deployment, notice) < (notice.at.timestamp(), deployment.generation):
            replace_file(path, _written(_updated(series, deployment, outcome, notice)).encode(), 0o644)
    except OSError as error:
        raise EdgeError(path.name, f"cannot be written: {error.strerror}") from None


def _newest(series: Mapping[Key, float], deployment: Deployment, notice: Notice) -> tuple[float, float]:
    """When the last end that stands there was, and its number."""
    name = (notice.repository, deployment.environment.name, "")
    ended = series.get(("gitops_deployment_end_timestamp_seconds", *name), 0.0)
    return ended, series.get(("gitops_deployment_generation", *name), 0.0)


def _read(path: Path) -> dict[Key, float]:
    """What stands there; lines that are none of ours are dropped."""
    if not path.exists() or path.stat().st_size > _LARGEST:
        return {}
    found = (_LINE.fullmatch(line) for line in path.read_text(errors="replace").splitlines())
    return {(one[1], one[2], one[3], one[4] or ""): float(one[5]) for one in found if one and one[1] in _HELP}


def _updated(series: Mapping[Key, float], deployment: Deployment, outcome: Outcome, notice: Notice) -> dict[Key, float]:
    name, at, state = (notice.repository, deployment.environment.name), notice.at.timestamp(), outcome.state.value
    good = outcome.state is RunState.SUCCESSFUL
    changed: dict[Key, float] = {
        ("gitops_environment_healthy", *name, ""): float(good),
        ("gitops_deployment_generation", *name, ""): float(deployment.generation),
        ("gitops_deployment_end_timestamp_seconds", *name, ""): at,
        ("gitops_deployment_duration_seconds", *name, ""): outcome.seconds,
        **{("gitops_deployment_hosts", *name, kind.value): float(n) for kind, n in counted(outcome).items()},
        ("gitops_deployments_total", *name, state): series.get(("gitops_deployments_total", *name, state), 0.0) + 1,
    }
    if good:
        changed["gitops_deployed_timestamp_seconds", *name, ""] = at
    return {**series, **changed}


def _written(series: Mapping[Key, float]) -> str:
    lines = []
    for metric, (kind, words) in _HELP.items():
        found = sorted((key, value) for key, value in series.items() if key[0] == metric)
        if found:
            lines += [f"# HELP {metric} {words}", f"# TYPE {metric} {kind}"]
        for (_, repository, environment, state), value in found:
            more = f',state="{state}"' if state else ""
            lines.append(f'{metric}{{repository="{repository}",environment="{environment}"{more}}} {value:.15g}')
    return "\n".join(lines) + "\n"
