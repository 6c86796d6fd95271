#!/bin/sh
# Compiles lab/guest/bench/*.c, which play the scenarios of the bench.
# usage: bench-program.sh OUT
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: bench-program.sh OUT"
gcc -static -O2 -Wall -Wextra -I"$tree/lib" -I"$top/lab/guest/demo" -o "$1" \
	"$top"/lab/guest/bench/*.c "$top/lab/guest/demo/demo_util.c" \
	"$top/lab/guest/demo/demo_trace.c" "$top/lab/guest/demo/demo_victim.c" ||
	die "lab/guest/bench/*.c do not compile"
