# shellcheck shell=bash
# Installs the server: as root for the machine with users of its own, otherwise for whoever runs this.
#
# Every place can be set from outside, so that a trial leaves the machine's own alone.

. "$ROOT/install/release.sh"
. "$ROOT/install/alive.sh"
. "$ROOT/install/users.sh"
. "$ROOT/install/remove.sh"

server() {
    local remove=no
    HOME_FOLDER=${GITOPS_HOOKS_HOME:-}
    while [ $# -gt 0 ]; do
        case $1 in
            --home)
                [ $# -ge 2 ] || stop "--home needs a folder"
                HOME_FOLDER=$2
                shift
                ;;
            --home=*) HOME_FOLDER=${1#--home=} ;;
            --remove) remove=yes ;;
            *) stop "unknown word: $1" "See ./install.sh --help." ;;
        esac
        shift
    done
    choose_places
    if [ "$remove" = yes ]; then
        remove_server
    elif [ "$FOR_MACHINE" = yes ]; then
        install_for_machine
    else
        install_for_me
    fi
}

choose_places() {
    FOR_MACHINE=no
    [ "$(id -u)" -ne 0 ] || FOR_MACHINE=yes
    if [ "$FOR_MACHINE" = yes ]; then
        PREFIX=${GITOPS_HOOKS_PREFIX:-/opt/gitops-hooks}
        HOME_FOLDER=${HOME_FOLDER:-/var/lib/gitops-hooks}
        SERVER_USER=${GITOPS_HOOKS_USER:-git}
        DEPLOY_USER=${GITOPS_HOOKS_DEPLOY_USER:-gitops-deploy}
        BIN=${GITOPS_HOOKS_BIN:-/usr/local/bin}
        ETC=${GITOPS_HOOKS_ETC:-/etc}
        AUTHORIZED_KEYS=$HOME_FOLDER/authorized_keys
        CREDENTIALS=$ETC/gitops-hooks/credentials
    else
        local mine=${XDG_DATA_HOME:-$HOME/.local/share}/gitops-hooks
        PREFIX=${GITOPS_HOOKS_PREFIX:-$mine}
        HOME_FOLDER=${HOME_FOLDER:-$mine/home}
        SERVER_USER=$(id -un)
        DEPLOY_USER=
        BIN=${GITOPS_HOOKS_BIN:-$HOME/.local/bin}
        AUTHORIZED_KEYS=${GITOPS_HOOKS_AUTHORIZED_KEYS:-$HOME/.ssh/authorized_keys}
        CREDENTIALS=$HOME_FOLDER/credentials
    fi
    local place
    for place in "$PREFIX" "$HOME_FOLDER" "$BIN" "$AUTHORIZED_KEYS" "$CREDENTIALS"; do
        # These stand in files of sshd, sudo, cron and the shell, each with quoting of its own.
        case $place in
            *[!A-Za-z0-9/._-]*) stop "a folder with other characters than A-Z a-z 0-9 / . _ - cannot be used here: $place" ;;
            /*) ;;
            *) stop "give full paths, not: $place" ;;
        esac
    done
}

install_for_machine() {
    KEEP_SSHD=yes require_tools
    command -v sudo >/dev/null || install_packages sudo
    lay_release system
    prune_releases
    make_users
    lay_deploy_program
    allow_deployments
    lay_home
    offer_ssh
    switch_release
    keep_alive_for_machine
    say_next "$SERVER_USER"
}

install_for_me() {
    KEEP_SSHD=yes require_tools
    lay_release any
    prune_releases
    lay_home
    switch_release
    keep_alive_for_me
    say "for the quick protocol, root adds the line  AcceptEnv GIT_PROTOCOL  to /etc/ssh/sshd_config (works without, slower)"
    say "deployments run as the user who takes pushes; installed as root, they get a user of their own"
    say_next "$SERVER_USER"
}

say_next() {
    cat <<TEXT

Installed: $RELEASE
The home is $HOME_FOLDER; server.toml in it says the rest. Credentials for deployments belong below $CREDENTIALS.

Next, with each person's public key:
  $BIN/gitops-hooks user add bob - --email bob@example.org <bob.pub
  $BIN/gitops-hooks repo add site --admin bob --write '*'
  $BIN/gitops-hooks doctor
Then, on bob's machine:
  git clone $1@$(hostname -f 2>/dev/null || hostname):site
TEXT
}

# Runs the command as the server's own user, from a folder that this user may stand in.
as_server() {
    if [ "$FOR_MACHINE" = yes ]; then
        (cd / && runuser -u "$SERVER_USER" -- env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin LANG=C.UTF-8 HOME="$HOME_FOLDER" "$@")
    else
        "$@"
    fi
}

# The file only if it differs, so that a second run says nothing. $1 path, $2 mode; the text comes in.
write_file() {
    local path=$1 mode=$2 text
    text=$(cat && printf x)
    text=${text%x}
    if [ -f "$path" ] && [ "$(cat "$path" && printf x)" = "${text}x" ]; then
        return 0
    fi
    say "writing $path"
    mkdir -p "$(dirname "$path")"
    printf '%s' "$text" >"$path.new"
    chmod "$mode" "$path.new"
    mv "$path.new" "$path"
}
