# shellcheck shell=bash
# Takes the program away. Access closes first: hooks that are gone must never leave a repository open.

remove_server() {
    close_access
    stop_keeping_alive
    if [ "$FOR_MACHINE" = yes ]; then
        act rm -f "$ETC/sudoers.d/gitops-hooks"
    fi
    act rm -f "$BIN/gitops-hooks" "$PREFIX/current"
    act rm -rf "$PREFIX/releases"
    [ "$FOR_MACHINE" = no ] || rmdir "$PREFIX" 2>/dev/null || true
    say "removed. These stay: $HOME_FOLDER (repositories, people, records), $CREDENTIALS, the system's users"
    say "to open access again:  ./install.sh server --home $HOME_FOLDER"
}

close_access() {
    if [ -f "$AUTHORIZED_KEYS" ]; then
        say "taking our keys out of $AUTHORIZED_KEYS"
        sed -i '/^# gitops-hooks begin$/,/^# gitops-hooks end$/d' "$AUTHORIZED_KEYS"
    fi
    if [ "$FOR_MACHINE" = yes ] && [ -f "$ETC/ssh/sshd_config.d/gitops-hooks.conf" ]; then
        act rm -f "$ETC/ssh/sshd_config.d/gitops-hooks.conf"
        reload_sshd
    fi
}
