# shellcheck shell=bash
# A release lies in a folder of its own, named by its version and digest; a push that runs stays with the one it began in.

release_name() {
    local version digest
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$ROOT/gitops_hooks/__init__.py")
    [ -n "$version" ] || stop "gitops_hooks/__init__.py names no version"
    digest=$(cd "$ROOT" && find gitops_hooks hooks pyproject.toml requirements.lock -type f ! -name '*.pyc' -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-12)
    printf '%s-%s' "$version" "$digest"
}

# $1: system (other users must be able to run it) or any.
lay_release() {
    local python source
    python=$(find_python "$1") || stop "Python 3.11 or newer is needed"
    RELEASE=$PREFIX/releases/$(release_name)
    [ "$1" != system ] || umask 022
    if [ -e "$RELEASE/whole" ]; then
        return 0
    fi
    [ "$1" != system ] || "$python" -c 'import venv, ensurepip' 2>/dev/null || install_packages python3-venv
    act mkdir -p "$RELEASE"
    fill_environment "$RELEASE/venv" "$ROOT/requirements.lock" "$python"
    # Built from a copy: building writes into its folder, and a checkout may belong to somebody else.
    source=$(mktemp -d)
    (cd "$ROOT" && cp -R pyproject.toml README.md LICENSE gitops_hooks hooks "$source/")
    install_package "$RELEASE/venv" "$source"
    rm -rf "$source"
    chmod -R go-w,a+rX "$RELEASE"
    : >"$RELEASE/whole"
}

# The home's folders, files, key and hooks, by the release's own code; what is there already stays.
lay_home() {
    if [ "$FOR_MACHINE" = yes ]; then
        as_server "$RELEASE/venv/bin/python" -I -c '' 2>/dev/null ||
            stop "the user $SERVER_USER cannot run $RELEASE/venv/bin/python" "Set GITOPS_HOOKS_PYTHON to a Python that every user may run, and remove $RELEASE."
    fi
    say "laying the hooks of this release in $HOME_FOLDER"
    as_server "$RELEASE/venv/bin/python" -I - "$HOME_FOLDER" "$AUTHORIZED_KEYS" "$DEPLOY_USER" <<'PYTHON' || stop "the home could not be laid"
import sys
from pathlib import Path

from gitops_hooks.edge.config_edit import set_value
from gitops_hooks.edge.home import Home
from gitops_hooks.edge.config import load_server
from gitops_hooks.edge.identities import load_people, write_authorized_keys
from gitops_hooks.edge.new_home import make_home

home, keys, deploy_as = Home(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
make_home(home)
server = load_server(home)
if keys != (server.authorized_keys or home.authorized_keys):
    set_value(home, "authorized_keys", str(keys))
if deploy_as and server.deploy_as != deploy_as:
    set_value(home, "deploy_as", deploy_as)
write_authorized_keys(home, load_people(home))
PYTHON
}

switch_release() {
    if [ "$(readlink "$PREFIX/current" 2>/dev/null)" != "$RELEASE" ]; then
        # Renamed into place: there is no moment without a current release.
        ln -sfn "$RELEASE" "$PREFIX/current.new"
        act mv -T "$PREFIX/current.new" "$PREFIX/current"
    fi
    lay_command
}

# `gitops-hooks` for people on this machine: always as the server's own user, always with its home.
lay_command() {
    local become=
    [ "$FOR_MACHINE" = no ] || become="
if [ \"\$(id -un)\" != $SERVER_USER ]; then
    [ \"\$(id -u)\" -eq 0 ] || exec sudo -u $SERVER_USER -- $BIN/gitops-hooks \"\$@\"
    exec runuser -u $SERVER_USER -- $BIN/gitops-hooks \"\$@\"
fi"
    write_file "$BIN/gitops-hooks" 0755 <<TEXT
#!/bin/sh
# Laid by install.sh. The release is looked up once, so that an update does not change it half-way.$become
exec "\$(readlink -f $PREFIX/current)/venv/bin/gitops-hooks" --home $HOME_FOLDER "\$@"
TEXT
}

# The newest one beside this stays, and each from which a program still runs: pushes and deployments end where they began.
prune_releases() {
    local old
    find "$PREFIX/releases" -mindepth 1 -maxdepth 1 -type d ! -path "$RELEASE" -printf '%T@ %p\n' | sort -rn | tail -n +2 |
        while read -r _ old; do
            if in_use "$old"; then
                say "keeping $old: programs run from it"
            else
                act rm -rf "$old"
            fi
        done
}

# Whether any program that can be seen has this release in its command line.
# What is looked for comes in by a pipe: among the words of grep it would find itself.
in_use() { printf '%s/\n' "$1" | grep -qsaF -f - /proc/[0-9]*/cmdline; }
