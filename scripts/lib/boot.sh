#!/bin/sh
# Boots one kernel in QEMU until it resets, within a time limit.
# usage: boot.sh [-t SECONDS] [-m MIB] [-a "KERNEL ARGS"] [-q "QEMU ARGS"] \
#        BZIMAGE INITRAMFS LOG
# Lines of the guest that begin with "LAB: " are shown as they come.
# Exit code: the guest's (0, or 1 for any other), 2 time limit, 3 panic or
# oops, 4 it ended without a "LAB-EXIT" line.
. "$(dirname "$0")/common.sh"

limit=120 memory=2048 args='' more=''
while getopts t:m:a:q: option; do
	case $option in
	t) limit=$OPTARG ;;
	m) memory=$OPTARG ;;
	a) args=$OPTARG ;;
	q) more=$OPTARG ;;
	*) die "usage: boot.sh [-t SECONDS] [-m MIB] [-a ARGS] [-q ARGS] BZIMAGE INITRAMFS LOG" ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 3 ] || die "usage: boot.sh [-t SECONDS] [-m MIB] [-a ARGS] [-q ARGS] BZIMAGE INITRAMFS LOG"
kernel=$1 initramfs=$2 log=$3
for file in "$kernel" "$initramfs"; do
	[ -f "$file" ] || die "$file is missing"
done
mkdir -p "$(dirname "$log")"
qemu=
stop() {
	[ -n "$qemu" ] || return 0
	kill "$qemu" 2>/dev/null || :
	tries=0
	while kill -0 "$qemu" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || kill -9 "$qemu" 2>/dev/null || :
		sleep 0.1
	done
	qemu=
}
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM HUP

# It is looked at below, maybe before the VM has opened it.
: >"$log"
# shellcheck disable=SC2086 # a list
"$top/scripts/lib/qemu.sh" "$memory" "$kernel" "$initramfs" "oops=panic $args" \
	-display none -monitor none -serial stdio $more </dev/null >"$log" 2>&1 &
qemu=$!

# The guest's lines end in CR LF, and come with a time if through /dev/kmsg.
lines=0
show_news() {
	total=$(wc -l <"$log")
	[ "$total" -gt "$lines" ] || return 0
	sed -n "$((lines + 1)),${total}{s/\r\$//; s/^\(\[[ 0-9.]*\] \)*LAB: /  /p}" "$log" >&2
	lines=$total
}

bad() {
	echo "$me: last lines of $log:" >&2
	tail -n 15 "$log" | tr -d '\r' | sed 's/^/  | /' >&2
	echo "$me: $2" >&2
	exit "$1"
}

end=$(($(date +%s) + limit))
while kill -0 "$qemu" 2>/dev/null; do
	show_news
	if [ "$(date +%s)" -ge "$end" ]; then
		stop
		show_news
		bad 2 "the VM was not done within $limit s and was killed; console: $log"
	fi
	sleep 0.2
done
code=0
wait "$qemu" || code=$?
qemu=
show_news

if grep -qE 'Kernel panic|^(\[[^]]*\] ?)?(Oops|general protection fault)' "$log"; then
	bad 3 "the kernel panicked; console: $log"
fi
guest=$(tr -d '\r' <"$log" | sed -n 's/^LAB-EXIT \([0-9]*\)$/\1/p' | tail -1)
[ -n "$guest" ] || bad 4 "the VM ended without a result (QEMU exit code $code); console: $log"
[ "$guest" = 0 ]
