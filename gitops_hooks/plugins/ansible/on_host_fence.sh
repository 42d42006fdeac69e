# The fence of on_host_fence.py, in a quarter of its time: for hosts that have `flock` and a shell that passes a
# descriptor on, and for one command at a time. Installed as `fence-<run id>` and started by /bin/sh.

here=${0%/*}
run=${0##*/fence-}

refuse() {
  exec 9<&-
  echo "gitops-hooks: $1" >&2
  # The module that is on its way in: Ansible says its own words, and not these, where its pipe breaks. A command that
  # brings none keeps the line open.
  timeout 1 cat >/dev/null 2>&1
  exit 255 # what ssh itself answers for a lost host, so that Ansible tries nothing more there
}

held='the lock of this host is held or missing; another run takes the host'
[ -r "$here/lock" ] || refuse "$held"
exec 9<"$here/lock"
flock -s -n 9 || refuse "$held"
[ -r "$here/current" ] || refuse "$held"
# It ends in no line break, which `read` answers like an end: what it says counts, and not that.
read -r current <"$here/current"
[ "$current" = "$run" ] || refuse "this host belongs to run $current now, and run $run is over"

# What Ansible sends is one word for /bin/sh, quoted as Python quotes. The login shell has started this, and a second one
# would do nothing but take the quotes off, a third of what a fence costs. Everything else it reads itself.
word=
case $1 in
  "/bin/sh -c '"*"'") text=${1#"/bin/sh -c '"} text=${text%"'"} ;;
  *) text="'" ;;
esac
while :; do
  case $text in
    *"'"*) word=$word${text%%"'"*}"'" text=${text#*"'"} ;;
    *) exec /bin/sh -c "$word$text" ;;
  esac
  case $text in
    "\"'\"'"*) text=${text#"\"'\"'"} ;;
    *) exec "${SHELL:-/bin/sh}" -c "$1" ;;
  esac
done
