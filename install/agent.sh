# shellcheck shell=bash
# Installs the agent on a host: as root for the machine, otherwise for whoever runs this.
#
# It lies beside a server of the same machine, never in it: a prefix, a command and a unit of its own.

. "$ROOT/install/release.sh"
. "$ROOT/install/server.sh"

agent() {
    local remove=no
    AGENT_WAY=
    while [ $# -gt 0 ]; do
        case $1 in
            --remove) remove=yes ;;
            --timer | --service)
                [ -z "$AGENT_WAY" ] || [ "$AGENT_WAY" = "${1#--}" ] || stop "--timer and --service exclude each other"
                AGENT_WAY=${1#--}
                ;;
            *) stop "unknown word: $1" "See ./install.sh --help." ;;
        esac
        shift
    done
    choose_agent_places
    if [ "$remove" = yes ]; then
        [ -z "$AGENT_WAY" ] || stop "--remove takes away whatever keeps it running: leave --$AGENT_WAY out"
        remove_agent
        return 0
    fi
    choose_agent_way
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
    UNITS=${ETC:-}/systemd/system
    local place
    for place in "$PREFIX" "$BIN" "$AGENT_FOLDER" "$AGENT_STATE"; do
        case $place in
            *[!A-Za-z0-9/._-]*) stop "a folder with other characters than A-Z a-z 0-9 / . _ - cannot be used here: $place" ;;
            /*) ;;
            *) stop "give full paths, not: $place" ;;
        esac
    done
}

# Which way it is kept was said once; an update does not change it.
choose_agent_way() {
    if [ "$FOR_MACHINE" = no ]; then
        [ "$AGENT_WAY" != timer ] || stop "a timer is the machine's: run this as root, or let cron run  $BIN/gitops-hooks-agent --once"
        AGENT_WAY=service
    elif [ -z "$AGENT_WAY" ]; then
        AGENT_WAY=service
        [ ! -f "$UNITS/gitops-hooks-agent.timer" ] || AGENT_WAY=timer
    fi
}

# What is there already stays: it says whom this host trusts.
lay_agent_file() {
    AGENT_IS_NEW=no
    [ -f "$AGENT_FILE" ] || AGENT_IS_NEW=yes
    act mkdir -p "$AGENT_FOLDER"
    if [ ! -f "$AGENT_FOLDER/agent_key" ]; then
        # Under another name, and the private half named last: who is killed meanwhile leaves no half of a key.
        local made=$AGENT_FOLDER/agent_key.new
        rm -f "$made" "$made.pub"
        act ssh-keygen -q -t ed25519 -N '' -C "gitops-hooks agent on $(uname -n)" -f "$made"
        mv "$made.pub" "$AGENT_FOLDER/agent_key.pub"
        act mv "$made" "$AGENT_FOLDER/agent_key"
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
        leave_other_way
        if [ "$AGENT_WAY" = timer ]; then write_agent_timer; else write_agent_service; fi
    fi
    if [ "$AGENT_IS_NEW" = yes ]; then
        say_what_agent_needs
        return 0
    fi
    if agent_has_systemd; then
        act systemctl daemon-reload
        act systemctl enable --quiet "gitops-hooks-agent.$AGENT_WAY"
        act systemctl restart "gitops-hooks-agent.$AGENT_WAY"
        return 0
    fi
    if [ "$AGENT_WAY" = timer ]; then
        say "no systemd runs here; let something run this every $(agent_interval) s:  $BIN/gitops-hooks-agent --once"
        return 0
    fi
    say "no systemd runs here; let something keep this running:  $BIN/gitops-hooks-agent"
}

# Before its unit is written over: what is disabled is what was enabled.
leave_other_way() {
    local other=timer
    if [ "$AGENT_WAY" = timer ]; then
        other=service
        [ ! -f "$UNITS/gitops-hooks-agent.timer" ] || return 0
    fi
    [ -f "$UNITS/gitops-hooks-agent.$other" ] || return 0
    ! agent_has_systemd || act systemctl disable --now --quiet "gitops-hooks-agent.$other"
    act rm -f "$UNITS/gitops-hooks-agent.$other"
}

write_agent_service() {
    # Exit 2 is a fault of its file, which no start mends. A run that is asked to end says what became of the host.
    write_file "$UNITS/gitops-hooks-agent.service" 0644 <<TEXT
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
}

# The seconds from the end of one round to the next are those of its file; a tenth more at random, so that hosts spread.
write_agent_timer() {
    local interval
    interval=$(agent_interval)
    write_file "$UNITS/gitops-hooks-agent.service" 0644 <<TEXT
[Unit]
Description=gitops-hooks: brings this host once to what its environment says
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=$BIN/gitops-hooks-agent --once
KillMode=mixed
TimeoutStopSec=90
TEXT
    write_file "$UNITS/gitops-hooks-agent.timer" 0644 <<TEXT
[Unit]
Description=gitops-hooks: keeps this host as its environment says

[Timer]
OnActiveSec=1
OnUnitInactiveSec=$interval
RandomizedDelaySec=$(((interval + 9) / 10))
AccuracySec=1

[Install]
WantedBy=timers.target
TEXT
}

agent_interval() {
    local found
    found=$(sed -n 's/^[[:space:]]*interval[[:space:]]*=[[:space:]]*\([1-9][0-9]\{0,4\}\)[[:space:]]*\(#.*\)\{0,1\}$/\1/p' "$AGENT_FILE" | head -n 1)
    echo "${found:-60}"
}

agent_has_systemd() { [ "$FOR_MACHINE" = yes ] && [ "$ETC" = /etc ] && [ -d /run/systemd/system ]; }

say_what_agent_needs() {
    local begin="$BIN/gitops-hooks-agent"
    [ "$AGENT_WAY" = service ] || begin="$begin --once"
    agent_has_systemd && begin="systemctl enable --now gitops-hooks-agent.$AGENT_WAY"
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
    local unit
    for unit in timer service; do
        [ "$FOR_MACHINE" = yes ] && [ -f "$UNITS/gitops-hooks-agent.$unit" ] || continue
        ! agent_has_systemd || systemctl disable --now --quiet "gitops-hooks-agent.$unit" 2>/dev/null || true
        act rm -f "$UNITS/gitops-hooks-agent.$unit"
    done
    act rm -f "$BIN/gitops-hooks-agent" "$PREFIX/current"
    act rm -rf "$PREFIX/releases"
    rmdir "$PREFIX" 2>/dev/null || true
    say "removed. These stay: $AGENT_FOLDER (its file and keys), $AGENT_STATE, and whatever it brought to this host"
}
