"""The reconciler is kept alive by a program that runs, never by a file that nobody reads."""

from pathlib import Path

import pytest

from gitops_hooks.edge.diagnosis_kept import Machine, who_keeps

LAUNCHER = "/srv/home/bin/gitops-reconcile"
UNIT = "etc/systemd/system/gitops-hooks-reconcile.service"
WANTED = "etc/systemd/system/multi-user.target.wants/gitops-hooks-reconcile.service"
START = f"[Service]\nExecStart={LAUNCHER}\n"
LINE = f"* * * * * git {LAUNCHER} --ensure\n"
SYSTEMD = "run/systemd/system/x"
OWN = "own/mine.service"
OWN_WANTED = "own/default.target.wants/mine.service"
TABLE = "etc/cron.d/gitops-hooks"
UNREAD = f"{{root}}/{TABLE} starts it, but no cron runs here"
CRON = frozenset({"cron", "sshd"})
NO_CRON = frozenset({"sshd"})


@pytest.mark.parametrize(
    ("files", "crontab", "programs", "keeper", "faults"),
    [
        ({}, "", CRON, "", ()),
        ({UNIT: START, WANTED: "", SYSTEMD: ""}, "", NO_CRON, "systemd", ()),
        ({UNIT: START, WANTED: ""}, "", NO_CRON, "", (f"{{root}}/{UNIT} starts it, but systemd does not run here",)),
        (
            {UNIT: START, SYSTEMD: ""},
            "",
            NO_CRON,
            "",
            (f"{{root}}/{UNIT} is not enabled:  systemctl enable --now gitops-hooks-reconcile.service",),
        ),
        ({UNIT: "[Service]\nExecStart=/bin/true\n", WANTED: "", SYSTEMD: ""}, "", NO_CRON, "", ()),
        ({OWN: START, OWN_WANTED: "", SYSTEMD: ""}, "", NO_CRON, "systemd", ()),
        ({UNIT: START, TABLE: LINE}, "", CRON, "cron", ()),
        ({TABLE: LINE}, "", None, "cron", ()),
        ({TABLE: LINE}, "", NO_CRON, "", (UNREAD,)),
        ({TABLE: f"# {LINE}"}, "", CRON, "", ()),
        ({}, f"* * * * * {LAUNCHER} --ensure\n", CRON, "cron", ()),
        ({}, f"* * * * * {LAUNCHER} --ensure\n", NO_CRON, "", ("your crontab starts it, but no cron runs here",)),
        ({}, f"#* * * * * {LAUNCHER} --ensure\n", CRON, "", ()),
    ],
)  # fmt: skip
def test_who_keeps_it_alive(tmp_path: Path, files, crontab, programs, keeper, faults) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = who_keeps(LAUNCHER, Machine(tmp_path, tmp_path / "own", crontab, programs))
    assert found == (keeper, tuple(fault.format(root=tmp_path) for fault in faults))
