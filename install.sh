#!/usr/bin/env bash
# Everything that this project does to a machine goes through here; each act is printed, and a second run changes nothing.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$ROOT/install/machine.sh"
. "$ROOT/install/environment.sh"
. "$ROOT/install/unpacked.sh"

usage() {
    cat <<'TEXT'
Usage: ./install.sh demo [--keep | --stop]
           plays the whole story on this machine, over real SSH to three real demo hosts;
           --keep leaves it running afterwards, --stop ends it
       ./install.sh test [PYTEST ARGUMENTS]
           runs all tests
       ./install.sh server [--home DIR] [--remove]
           installs for use: as root for the machine, with a user `git` and a user `gitops-deploy`;
           otherwise for yourself, below ~/.local/share/gitops-hooks.
           --remove closes all access, then removes the program; repositories and the home stay
       ./install.sh agent [--timer | --service] [--remove]
           installs the agent that keeps this host as its environment says: as root for the machine, with a
           unit for systemd; otherwise below ~/.local/share/gitops-hooks-agent.
           --timer has systemd begin one round after another instead of one program that waits, --service goes
           back to that; without either it stays as it is.
           --remove takes the program away; its file, keys and state stay

It installs what is missing where it may (root, or sudo without a password), and otherwise says the line to run.
Exit codes: 0 done, 1 refused or a test failed, 2 wrong use or something is missing, 130 interrupted.
TEXT
}

run_tests() {
    FOR_TESTS=yes require_tools
    make_environment "$ROOT/.venv" "$ROOT/requirements-test.lock"
    lay_tools "$ROOT/.venv/tools"
    lay_opa "$ROOT/.venv/opa" "$ROOT/.venv/bin/python"
    lay_kubectl "$ROOT/.venv/kubectl" "$ROOT/.venv/bin/python"
    cd "$ROOT"
    exec "$ROOT/.venv/bin/python" -m pytest "$@"
}

play_demo() {
    # --stop needs nothing installed beyond what the demo itself put there.
    [ "${1:-}" = --stop ] || require_tools
    make_environment "$ROOT/.venv" "$ROOT/requirements-test.lock"
    exec "$ROOT/.venv/bin/python" "$ROOT/examples/demo/story.py" "$@"
}

install_server() {
    . "$ROOT/install/server.sh"
    server "$@"
}

install_agent() {
    . "$ROOT/install/agent.sh"
    agent "$@"
}

main() {
    local words=${1:-}
    [ $# -eq 0 ] || shift
    case $words in
        test) run_tests "$@" ;;
        demo) play_demo "$@" ;;
        server) install_server "$@" ;;
        agent) install_agent "$@" ;;
        -h | --help | help) usage ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
}

main "$@"
