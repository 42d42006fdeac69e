"""A plugin as third parties write them, for the stories: names begin with what the policy says, or are excepted."""

from collections.abc import Iterable, Iterator

from gitops_hooks.plugin import (
    Change,
    Check,
    EdgeError,
    Finding,
    Option,
    OptionKind,
    Tool,
    Tree,
    Workbench,
    hookimpl,
)

EXCEPTIONS = ".naming"
OPTIONS = (
    Option("prefix", OptionKind.TEXT, "acme-", "how the name of each role begins"),
    Option("most", OptionKind.NUMBER, 30, "how long a name may be", least=6, most=99),
)


def check_names(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    try:
        excepted = bench.target.read(EXCEPTIONS).decode().split()
    except EdgeError:
        excepted = []
    for file in change.files:
        name = file.path.split("/")[1] if file.path.startswith("roles/") else ""
        if file.deleted or not name or name in excepted:
            continue
        if not name.startswith(bench.options["prefix"]):
            yield Finding(file.path, 0, f"call it {bench.options['prefix']}{name}")
        if len(name) > bench.options["most"]:
            yield Finding(file.path, 0, f"has more than {bench.options['most']} characters")


def check_shell(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """A program of others reads the scripts, and runs none of them."""
    if bench.tool("bash") is None:
        yield Finding(change.files[0].path, 0, "bash is not installed on the server, so no script was read")
        return
    scripts = [file.path for file in change.files if file.path.endswith(".sh") and not file.deleted]
    bench.say(f"{len(scripts)} scripts")
    for path in scripts:
        ran = bench.run(["bash", "-n", path], files=[path])
        for line in ran.stderr.decode(errors="replace").split("\n")[:-1]:
            _, number, message = line.split(": ", 2)
            yield Finding(path, int(number.removeprefix("line ")), message)


def check_make(change: Change, tree: Tree, bench: Workbench) -> Iterator[Finding]:
    """What the repository itself says is to be run."""
    ran = bench.run(["sh", "test.sh"], files=["."], writable=True)
    if ran.status:
        yield Finding("test.sh", 0, f"ended with {ran.status}: {(ran.stdout + ran.stderr).decode(errors='replace')}")


@hookimpl
def gitops_checks() -> Iterable[Check]:
    return [
        Check("naming", "roles are named after the house", check_names, ("roles/**",), OPTIONS),
        Check("shell", "scripts can be read", check_shell, ("**/*.sh",), tools=(Tool("bash"),)),
        Check("make", "the repository's own test passes", check_make, ("test.sh",), tools=(Tool("sh"),)),
    ]
