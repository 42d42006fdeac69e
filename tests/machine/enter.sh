#!/bin/sh
# The first program of a machine that is forgotten with it: this one's files, with everything that is written kept in memory.
#
# $1 an empty folder to work in, $2 the checkout, $3 a layer to begin with, or nothing. Lives until its input ends.
set -eu
folder=$1 checkout=$2 layer=${3:+$3:}
mkdir -p "$folder/upper" "$folder/scratch" "$folder/machine"
mount -t overlay -o "lowerdir=$layer/,upperdir=$folder/upper,workdir=$folder/scratch" machine "$folder/machine"
cd "$folder/machine"
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
mount -t tmpfs -o mode=0755 run run
mkdir -m 0755 run/sshd  # the system makes it when its SSH service starts
mount -t tmpfs -o mode=1777 tmp tmp
# Where names are asked for is often a link to what another machine's program writes.
cp -L /etc/resolv.conf run/resolv.conf
mkdir -p srv/checkout srv/before
mount --bind "$checkout" srv/checkout
mount -o remount,bind,ro srv/checkout
pivot_root . srv/before
umount -l /srv/before
[ -s /etc/resolv.conf ] || { rm -f /etc/resolv.conf && cp /run/resolv.conf /etc/resolv.conf; }
cd /
echo ready
# What loses its parent in here becomes ours, and is not waited for.
trap '' CHLD
exec cat >/dev/null
