#!/bin/sh
# User Mode Linux: a kernel that is built in a minute and runs the KUnit suites in two
# seconds. It has neither SMP nor huge pages; what needs them is for the VM.
# usage: um.sh build TREE OBJECTS    configured by lab/um.config, in the directory
#                                    OBJECTS beside TREE; VARIANT=i386: 32 bit
#        um.sh boot LINUX LOG SECONDS ARGUMENT...
#                                    ends with 137 if it does not come to its end
. "$(dirname "$0")/common.sh"

# Its own flush_tlb_mm() walks the VMAs of a process that exits without mmap_lock. So a
# report of that kind about our code is left to the VM.
without_that() {
	awk '
		held && ++lines == 3 {
			if ($0 !~ /^lib\/maple_tree\.c:[0-9]+ suspicious rcu_dereference_check/)
				printf "%s", held
			held = ""
		}
		/^WARNING: suspicious RCU usage/ { printf "%s", held; held = $0 "\n"; lines = 0; next }
		held { held = held $0 "\n"; next }
		{ print }
		END { printf "%s", held }'
}

make_it() {
	make --no-print-directory -C "$1" O="../${2##*/}" ARCH=um CC="ccache ${cross}gcc" \
		${cross:+SUBARCH=$VARIANT CROSS_COMPILE=$cross} \
		KCONFIG_ALLCONFIG="$2.config" -j"$JOBS" "$3" </dev/null
}

case ${1:-} in
build)
	mkdir -p "$3"
	log=$3.log
	more=$top/config/variant/$VARIANT.config
	[ -e "$more" ] || more=
	# shellcheck disable=SC2086 # one or none
	cat "$top/lab/um.config" $more >"$3.config"
	{ make_it "$2" "$3" allnoconfig && make_it "$2" "$3" linux; } >"$log" 2>&1 || {
		grep -n 'error:' "$log" | head -10 >&2
		die "User Mode Linux does not build: see $log"
	}
	;;
boot)
	linux=$2 log=$3 limit=$4
	shift 4
	# Without rseq: with it the first process in it may get SIGSEGV
	GLIBC_TUNABLES=glibc.pthread.rseq=0 timeout -s KILL "$limit" "$linux" noreboot \
		panic=-1 printk.devkmsg=on log_buf_len=4M "$@" </dev/null >"$log.raw" 2>&1 &&
		code=0 || code=$?
	tr -d '\r' <"$log.raw" | sed 's/^\[[^]]*\] //' | without_that >"$log"
	rm -f "$log.raw"
	exit "$code"
	;;
*) die "usage: um.sh build TREE OBJECTS | boot LINUX LOG SECONDS ARGUMENT..." ;;
esac
