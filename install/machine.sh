# shellcheck shell=bash
# What this machine has, and how to get what it lacks.

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"   # sshd lies there, and people's PATH often ends before it

say() { printf 'install: %s\n' "$*"; }

stop() {
    printf 'install: %s\n' "$@" >&2
    exit 2
}

act() {
    printf '+ %s\n' "$*"
    "$@"
}

# Prints how to become root ("" for root itself), or fails where that needs a password.
root_prefix() {
    if [ "$(id -u)" -eq 0 ]; then
        return 0
    fi
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        printf 'sudo -n'
        return 0
    fi
    return 1
}

install_packages() {
    local prefix line="apt-get install -y --no-install-recommends $*"
    command -v apt-get >/dev/null || stop "these are missing: $*" "Install them with this system's package tool, then run this again."
    prefix=$(root_prefix) || stop "these packages are missing: $*" "Run this, then this script again:  sudo $line"
    say "these packages are missing: $*"
    # Word splitting of the prefix is meant: it is empty or two words.
    # shellcheck disable=SC2086
    act $prefix apt-get update -qq </dev/null || say "the package lists could not be refreshed; trying with those at hand"
    # shellcheck disable=SC2086
    act $prefix env DEBIAN_FRONTEND=noninteractive $line -qq </dev/null >/dev/null ||
        stop "the packages could not be installed" "Run this, then this script again:  $line"
}

# Words: the packages that hold commands which are not there.
missing_packages() {
    command -v git >/dev/null || printf 'git '
    command -v sshd >/dev/null || printf 'openssh-server '
    command -v ssh >/dev/null && command -v ssh-keygen >/dev/null || printf 'openssh-client '
    command -v bwrap >/dev/null || printf 'bubblewrap '
    command -v gpgv >/dev/null || printf 'gpgv '
    # The server only checks OpenPGP signatures; the tests make some.
    [ -z "${FOR_TESTS:-}" ] || { command -v gpg && command -v gpg-agent; } >/dev/null || printf 'gpg gpg-agent '
    # Programs that checks ask where a server has them; the tests ask the real ones.
    [ -z "${FOR_TESTS:-}" ] || command -v vtysh >/dev/null || printf 'frr '
    [ -z "${FOR_TESTS:-}" ] || command -v ifquery >/dev/null || printf 'ifupdown '
    local python
    if ! python=$(find_python); then
        printf 'python3 python3-venv '
    elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2], end=" ")'
    fi
}

# The first Python that the lock was made for (3.11 to 3.13), else any newer one. $1 = system: the system's own first,
# since other users must be able to run it.
find_python() {
    local candidate limit
    local candidates=("${GITOPS_HOOKS_PYTHON:-python3}" python3.13 python3.12 python3.11 /usr/bin/python3 python3.14 python3)
    [ "${1:-}" != system ] || candidates=(/usr/bin/python3 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 "${candidates[@]}")
    for limit in 13 99; do
        for candidate in "${candidates[@]}"; do
            # A version manager's stand-in is found and still does not run: only running it tells.
            if "$candidate" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $limit))" 2>/dev/null; then
                command -v "$candidate"
                return 0
            fi
        done
    done
    return 1
}

require_tools() {
    local missing had_sshd=yes had_frr=yes
    command -v sshd >/dev/null || had_sshd=no
    command -v vtysh >/dev/null || had_frr=no
    missing=$(missing_packages)
    # Word splitting is meant: one package a word.
    # shellcheck disable=SC2086
    [ -z "$missing" ] || install_packages $missing "$@"
    [ "$had_sshd" = yes ] || keep_sshd_off
    [ -z "${FOR_TESTS:-}" ] || [ "$had_frr" = yes ] || keep_frr_off
    find_python >/dev/null || stop "Python 3.11 or newer is needed; this system has none" \
        "Debian 12, Ubuntu 24.04 and later have it; elsewhere set GITOPS_HOOKS_PYTHON=/path/to/python3."
    require_git
    require_privilege_folder
    require_sandbox
}

# The tests and the demo start servers of their own; a machine that offered no SSH before should not begin to.
keep_sshd_off() {
    local prefix
    [ -z "${KEEP_SSHD:-}" ] && [ -d /run/systemd/system ] || return 0
    prefix=$(root_prefix) || return 0
    say "the SSH server was not here before: it stays off, only its program is used"
    # shellcheck disable=SC2086
    act $prefix systemctl disable --now --quiet ssh.service ssh.socket 2>/dev/null || true
}

# The tests ask FRR's vtysh, and a machine that was no router should not become one.
keep_frr_off() {
    local prefix
    [ -d /run/systemd/system ] || return 0
    prefix=$(root_prefix) || return 0
    say "FRR was not here before: it stays off, only its program is used"
    # shellcheck disable=SC2086
    act $prefix systemctl disable --now --quiet frr.service 2>/dev/null || true
}

require_git() {
    local version
    version=$(git version | sed 's/^git version \([0-9]*\.[0-9]*\).*/\1/')
    if [ "$(printf '%s\n2.36\n' "$version" | sort -V | head -n 1)" != 2.36 ]; then
        stop "git 2.36 or newer is needed; this is $version" "Debian 12, Ubuntu 24.04 and later have it."
    fi
}

# Where sshd runs as root it insists on this folder; the system makes it only when its own SSH service starts.
require_privilege_folder() {
    if [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then
        act mkdir -m 0755 /run/sshd
    fi
}

sandbox_works() { bwrap --unshare-all --die-with-parent --ro-bind / / --proc /proc --dev /dev true 2>/dev/null; }

# Checks and deployments run only inside namespaces: better to learn now that this machine forbids them.
require_sandbox() {
    sandbox_works && return 0
    local prefix
    if [ -d /etc/apparmor.d ] && grep -qs 1 /proc/sys/kernel/apparmor_restrict_unprivileged_userns; then
        prefix=$(root_prefix) || stop "this system lets only named programs make namespaces, and bubblewrap is not named" \
            "Run this, then this script again:  sudo cp $ROOT/install/bwrap.apparmor /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap"
        # shellcheck disable=SC2086
        [ -e /etc/apparmor.d/bwrap ] || act $prefix cp "$ROOT/install/bwrap.apparmor" /etc/apparmor.d/bwrap
        # shellcheck disable=SC2086
        act $prefix apparmor_parser -r /etc/apparmor.d/bwrap
        sandbox_works && return 0
    fi
    stop "bubblewrap cannot make namespaces here: $(bwrap --unshare-all --ro-bind / / --proc /proc true 2>&1 | head -n 1)" \
        "In a container, start it with:  --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN" \
        "On a machine of your own:  sudo sysctl -w kernel.unprivileged_userns_clone=1"
}
