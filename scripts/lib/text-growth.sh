#!/bin/sh
# By how many bytes the second vmlinux is larger: prints that of its functions,
# the share in it of those that a tracepoint has for CONFIG_TRACEPOINTS, and
# that of its data.
# usage: text-growth.sh VMLINUX VMLINUX LOG    LOG: symbol by symbol
. "$(dirname "$0")/common.sh"

[ $# = 3 ] || die "usage: text-growth.sh VMLINUX VMLINUX LOG"
"$tree/scripts/bloat-o-meter" -c "$1" "$2" >"$3" || die "bloat-o-meter failed"
awk '
	/^Total/ { part++ }
	$4 ~ /^[+-][0-9]+$/ {
		growth[part + 0] += $4
		if (!part && $1 ~ /^(perf_trace|trace_event_raw_event|trace_raw_output|__traceiter|__probestub|__SCT__tp_func)_/)
			trace += $4
	}
	END { print growth[0] + 0, trace + 0, growth[1] + 0 }' "$3"
