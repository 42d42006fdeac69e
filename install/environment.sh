# shellcheck shell=bash
# The Python environment: made from a lock file by digest, and made again only when something that decides it differs.

# $1 folder, $2 lock file. Serves the tests and the demo, with this checkout installed as it stands.
make_environment() {
    local folder=$1 lock=$2 python wanted
    python=$(find_python) || stop "Python 3.11 or newer is needed"
    wanted=$(environment_key "$python" "$lock")
    (
        flock 9 # two runs at once make it once
        if [ "$(cat "$folder/made-from" 2>/dev/null)" != "$wanted" ]; then
            fill_environment "$folder" "$lock" "$python"
            install_package "$folder" --editable "$ROOT"
        # Without written byte code every hook of every push would compile again.
        act "$folder/bin/python" -m compileall -q "$ROOT/gitops_hooks"
            printf '%s\n' "$wanted" >"$folder/made-from"
        fi
    ) 9<"$ROOT/install.sh"
    export PATH="$folder/bin:$PATH"
}

environment_key() {
    { "$1" -c 'import sys; print(sys.version, sys.base_prefix)'; echo "$ROOT"; cat "$2" "$ROOT/pyproject.toml"; } |
        sha256sum | cut -d ' ' -f 1
}

# $1 folder, $2 lock file, $3 Python.
fill_environment() {
    local folder=$1 lock=$2 python=$3
    [ -w "$(dirname "$folder")" ] || stop "$(dirname "$folder") belongs to somebody else" "Clone the project into a folder of your own."
    if [ -e "$folder" ] && [ ! -e "$folder/pyvenv.cfg" ]; then
        stop "$folder is there and is no virtual environment; move it away"
    fi
    act rm -rf "$folder"
    act "$python" -m venv "$folder"
    # Wheels only: a source archive would run code of its own, and fetch what builds it unpinned.
    quietly "$folder/pip.log" "$folder/bin/python" -m pip install --disable-pip-version-check --no-input \
        --require-hashes --only-binary=:all: -r "$lock"
}

# $1 environment, further words for pip. The build backend is in the lock: nothing is fetched here.
install_package() {
    local folder=$1
    shift
    quietly "$folder/pip.log" "$folder/bin/python" -m pip install --disable-pip-version-check --no-input \
        --no-deps --no-build-isolation --no-index --force-reinstall "$@"
}

# $1 log, then a command that says much: shown only if it fails.
quietly() {
    local log=$1
    shift
    printf '+ %s\n' "$*"
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 25 "$log" >&2
        stop "that failed; the whole of it is in $log"
    fi
}
