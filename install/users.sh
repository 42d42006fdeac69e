# shellcheck shell=bash
# Two users and what each may do: one takes pushes, the other holds the credentials of deployments.

make_users() {
    make_user "$SERVER_USER" "$HOME_FOLDER" /bin/sh
    make_user "$DEPLOY_USER" /nonexistent /usr/sbin/nologin
    # A password field of * lets no password in, yet counts as an open account where sshd does not ask PAM.
    if [ "$(getent shadow "$SERVER_USER" | cut -d : -f 2)" != '*' ]; then
        act usermod -p '*' "$SERVER_USER"
    fi
    install -d -m 0700 -o "$SERVER_USER" -g "$SERVER_USER" "$HOME_FOLDER"
    install -d -m 0755 "$ETC/gitops-hooks"
    install -d -m 0750 -o root -g "$DEPLOY_USER" "$CREDENTIALS"
}

# $1 name, $2 home, $3 shell.
make_user() {
    local found
    if ! found=$(getent passwd "$1"); then
        act useradd --system --user-group --home-dir "$2" --no-create-home --shell "$3" "$1"
    elif [ "$(printf '%s' "$found" | cut -d : -f 6)" != "$2" ]; then
        stop "there is a user $1 already, with another home ($(printf '%s' "$found" | cut -d : -f 6))" \
            "Name another one:  GITOPS_HOOKS_USER=gitops GITOPS_HOOKS_DEPLOY_USER=gitops-deploy ./install.sh server"
    elif [ "$(printf '%s' "$found" | cut -d : -f 7)" != "$3" ]; then
        act usermod --shell "$3" "$1"
    fi
}

# The one program that the server's user may run as the deployment user; it takes a run id and laid credentials, no more.
lay_deploy_program() {
    write_file "$RELEASE/bin/deploy" 0755 <<TEXT
#!$RELEASE/venv/bin/python -I
import sys
from pathlib import Path
from gitops_hooks.entry.deploy_as import main
main(sys.argv[1:], Path("$CREDENTIALS"))
TEXT
}

allow_deployments() {
    local rules=$ETC/sudoers.d/gitops-hooks release text
    text="# Laid by install.sh: the server starts deployments as another user, who alone can read their credentials.
Defaults:$SERVER_USER !requiretty, !use_pty"
    # One line for each release that may still run: a pattern would be wider than what is laid.
    for release in "$PREFIX"/releases/*/; do
        text="$text
$SERVER_USER ALL=($DEPLOY_USER) NOPASSWD: ${release}bin/deploy"
    done
    mkdir -p "$ETC/sudoers.d"
    printf '%s\n' "$text" >"$ETC/sudoers.d/.gitops-hooks.check"
    visudo -cqf "$ETC/sudoers.d/.gitops-hooks.check" || stop "the rule for sudo is not accepted; nothing was changed"
    rm -f "$ETC/sudoers.d/.gitops-hooks.check"
    printf '%s\n' "$text" | write_file "$rules" 0440
}

# What sshd lets this user do: our keys with their forced commands, and nothing else.
offer_ssh() {
    local settings=$ETC/ssh/sshd_config.d/gitops-hooks.conf
    write_file "$settings" 0644 <<TEXT
# Laid by install.sh; sshd reads it first, so it wins.
Match User $SERVER_USER
    AuthorizedKeysFile $AUTHORIZED_KEYS
    AuthorizedKeysCommand none
    TrustedUserCAKeys none
    AuthenticationMethods publickey
    AcceptEnv GIT_PROTOCOL
    PermitTTY no
    PermitUserRC no
    DisableForwarding yes
TEXT
    if [ -f "$ETC/ssh/sshd_config" ] && ! grep -Eqi '^ *Include +.*sshd_config\.d' "$ETC/ssh/sshd_config"; then
        say "$ETC/ssh/sshd_config does not read its folder; add this as its first line:  Include /etc/ssh/sshd_config.d/*.conf"
    fi
    reload_sshd
}

reload_sshd() {
    [ "$ETC" = /etc ] || return 0
    local sshd
    sshd=$(command -v sshd)
    require_privilege_folder
    if ! "$sshd" -t; then
        act rm -f /etc/ssh/sshd_config.d/gitops-hooks.conf
        stop "sshd does not accept its configuration; ours was taken out again"
    fi
    if [ -d /run/systemd/system ]; then
        # A socket starts sshd for each connection on some systems: then there is nothing to reload.
        systemctl reload ssh.service 2>/dev/null || systemctl reload sshd.service 2>/dev/null || true
    elif [ -f /run/sshd.pid ]; then
        act kill -HUP "$(cat /run/sshd.pid)"
    else
        say "no SSH server runs here; start it, for example with:  $sshd"
    fi
}
