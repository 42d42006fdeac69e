# shellcheck shell=bash
# Installs the agent on a host: as root for the machine, otherwise for whoever runs this.
#
# It lies beside a server of the same machine, never in it: a prefix, a command and a unit of its own.

. "$ROOT/install/release.sh"
. "$ROOT/install/server.sh"

agent() {
    local remove=no
    while [ $# -gt 0 ]; do
        case $1 in
            --remove) remove=yes ;;
            *) stop "unknown word: $1" "See ./install.sh --help." ;;
        esac
        shift
    done
    choose_agent_places
    if [ "$remove" = yes ]; then
        remove_agent
        return 0
    fi
    KEEP_SSHD=yes require_tools
    if [ "$FOR_MACHINE" = yes ]; then lay_release system; else lay_release any; fi
    prune_releases
    lay_agent_file
    switch_agent_release
    keep_agent_running
}

choose_agent_places() {
    FOR_MACHINE=no
    [ "$(id -u)" -ne 0 ] || FOR_MACHINE=yes
    if [ "$FOR_MACHINE" = yes ]; then
        PREFIX=${GITOPS_HOOKS_AGENT_PREFIX:-/opt/gitops-hooks-agent}
        BIN=${GITOPS_HOOKS_BIN:-/usr/local/bin}
        ETC=${GITOPS_HOOKS_ETC:-/etc}
        AGENT_FOLDER=$ETC/gitops-hooks
        AGENT_STATE=/var/lib/gitops-hooks-agent
    else
        local mine=${XDG_DATA_HOME:-$HOME/.local/share}/gitops-hooks-agent
        PREFIX=${GITOPS_HOOKS_AGENT_PREFIX:-$mine}
        BIN=${GITOPS_HOOKS_BIN:-$HOME/.local/bin}
        AGENT_FOLDER=${XDG_CONFIG_HOME:-$HOME/.config}/gitops-hooks
        AGENT_STATE=$mine/state
    fi
    AGENT_FILE=$AGENT_FOLDER/agent.toml
    local place
    for place in "$PREFIX" "$BIN" "$AGENT_FOLDER" "$AGENT_STATE"; do
        case $place in
            *[!A-Za-z0-9/._-]*) stop "a folder with other characters than A-Z a-z 0-9 / . _ - cannot be used here: $place" ;;
            /*) ;;
            *) stop "give full paths, not: $place" ;;
        esac
    done
}

# What is there already stays: it says whom this host trusts.
lay_agent_file() {
    AGENT_IS_NEW=no
    [ -f "$AGENT_FILE" ] || AGENT_IS_NEW=yes
    act mkdir -p "$AGENT_FOLDER"
    if [ ! -f "$AGENT_FOLDER/agent_key" ]; then
        act ssh-keygen -q -t ed25519 -N '' -C "gitops-hooks agent on $(uname -n)" -f "$AGENT_FOLDER/agent_key"
    fi
    [ "$AGENT_IS_NEW" = yes ] || return 0
    (umask 077 && write_file "$AGENT_FILE" 0600) <<TEXT
# What this host trusts, and what it answers for: docs/agent.md says each line.
name = ""
url = ""
key = "agent_key"
known_hosts = "agent_known_hosts"
repository = ""
adoption = ""
server_key = "server_key.pub"
environment = ""
hosts = []
state = "$AGENT_STATE"
TEXT
}

switch_agent_release() {
    if [ "$(readlink "$PREFIX/current" 2>/dev/null)" != "$RELEASE" ]; then
        ln -sfn "$RELEASE" "$PREFIX/current.new"
        act mv -T "$PREFIX/current.new" "$PREFIX/current"
    fi
    write_file "$BIN/gitops-hooks-agent" 0755 <<TEXT
#!/bin/sh
# Laid by install.sh. The release is looked up once, so that an update does not change it half-way.
exec "\$(readlink -f $PREFIX/current)/venv/bin/gitops-hooks" agent --config $AGENT_FILE "\$@"
TEXT
}

keep_agent_running() {
    if [ "$FOR_MACHINE" = yes ]; then
        # Exit 2 is a fault of its file, which no start mends. A run that is asked to end says what became of the host.
        write_file "$ETC/systemd/system/gitops-hooks-agent.service" 0644 <<TEXT
[Unit]
Description=gitops-hooks: keeps this host as its environment says
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=$BIN/gitops-hooks-agent
Restart=always
RestartSec=30
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec=90

[Install]
WantedBy=multi-user.target
TEXT
    fi
    if [ "$AGENT_IS_NEW" = yes ]; then
        say_what_agent_needs
        return 0
    fi
    if agent_has_systemd; then
        act systemctl daemon-reload
        act systemctl enable --quiet gitops-hooks-agent.service
        act systemctl restart gitops-hooks-agent.service
        return 0
    fi
    say "no systemd runs here; let something keep this running:  $BIN/gitops-hooks-agent"
}

agent_has_systemd() { [ "$FOR_MACHINE" = yes ] && [ "$ETC" = /etc ] && [ -d /run/systemd/system ]; }

say_what_agent_needs() {
    local begin="$BIN/gitops-hooks-agent"
    agent_has_systemd && begin="systemctl enable --now gitops-hooks-agent"
    cat <<TEXT

Installed: $RELEASE
Its key, which the server's administrator adds for this host:
  $(cat "$AGENT_FOLDER/agent_key.pub")
Next, as docs/agent.md says it:
  fill in $AGENT_FILE, with $AGENT_FOLDER/agent_known_hosts and $AGENT_FOLDER/server_key.pub
  $BIN/gitops-hooks-agent --check
  $begin
TEXT
}

remove_agent() {
    if agent_has_systemd; then
        systemctl disable --now --quiet gitops-hooks-agent.service 2>/dev/null || true
    fi
    [ "$FOR_MACHINE" = no ] || act rm -f "$ETC/systemd/system/gitops-hooks-agent.service"
    act rm -f "$BIN/gitops-hooks-agent" "$PREFIX/current"
    act rm -rf "$PREFIX/releases"
    rmdir "$PREFIX" 2>/dev/null || true
    say "removed. These stay: $AGENT_FOLDER (its file and keys), $AGENT_STATE, and whatever it brought to this host"
}
