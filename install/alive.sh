# shellcheck shell=bash
# Deployments go on without anybody's push: something of the system's keeps the reconciler running.

keep_alive_for_machine() {
    write_file "$ETC/systemd/system/gitops-hooks-reconcile.service" 0644 <<TEXT
[Unit]
Description=gitops-hooks: brings hosts to what their branches say
After=network.target

[Service]
User=$SERVER_USER
ExecStart=$HOME_FOLDER/bin/gitops-reconcile
Restart=always
RestartSec=15
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
TEXT
    if [ "$ETC" = /etc ] && [ -d /run/systemd/system ]; then
        act systemctl daemon-reload
        act systemctl enable --quiet gitops-hooks-reconcile.service
        # The hooks were laid anew: the one that runs belongs to the release before.
        as_server "$HOME_FOLDER/bin/gitops-reconcile" --stop >/dev/null 2>&1 || true
        act systemctl restart gitops-hooks-reconcile.service
        rm -f "$ETC/cron.d/gitops-hooks"
        return 0
    fi
    write_file "$ETC/cron.d/gitops-hooks" 0644 <<TEXT
# Laid by install.sh: starts the reconciler where it does not run.
* * * * * $SERVER_USER $HOME_FOLDER/bin/gitops-reconcile --ensure >/dev/null 2>&1
TEXT
    as_server "$HOME_FOLDER/bin/gitops-reconcile" --stop >/dev/null 2>&1 || true
    command -v cron >/dev/null || command -v crond >/dev/null ||
        say "neither systemd nor cron runs here; every push starts the reconciler, or you do:  $HOME_FOLDER/bin/gitops-reconcile --ensure"
}

keep_alive_for_me() {
    local line="* * * * * $HOME_FOLDER/bin/gitops-reconcile --ensure >/dev/null 2>&1 # gitops-hooks"
    as_server "$HOME_FOLDER/bin/gitops-reconcile" --stop >/dev/null 2>&1 || true
    if ! command -v crontab >/dev/null; then
        say "there is no crontab here; let something run this each minute:  $HOME_FOLDER/bin/gitops-reconcile --ensure"
    elif ! crontab -l 2>/dev/null | grep -qxF "$line"; then
        say "adding to your crontab: $line"
        { crontab -l 2>/dev/null | grep -v '# gitops-hooks$' || true; printf '%s\n' "$line"; } | crontab -
    fi
}

stop_keeping_alive() {
    if [ "$FOR_MACHINE" = no ]; then
        if command -v crontab >/dev/null && crontab -l 2>/dev/null | grep -q '# gitops-hooks$'; then
            say "taking our line out of your crontab"
            { crontab -l | grep -v '# gitops-hooks$' || true; } | crontab -
        fi
    else
        if [ "$ETC" = /etc ] && [ -d /run/systemd/system ]; then
            systemctl disable --now --quiet gitops-hooks-reconcile.service 2>/dev/null || true
        fi
        rm -f "$ETC/systemd/system/gitops-hooks-reconcile.service" "$ETC/cron.d/gitops-hooks"
    fi
    if [ -x "$HOME_FOLDER/bin/gitops-reconcile" ]; then
        as_server "$HOME_FOLDER/bin/gitops-reconcile" --stop || say "the reconciler did not answer; it ends by itself"
    fi
}
