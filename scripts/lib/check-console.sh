#!/bin/sh
# Fails if a VM's console has a report of one of the kernel's checkers, and
# shows it. What a test provokes on purpose does not count: it stands between
# lines "LAB-EXPECT-SPLAT-BEGIN <why>" and "LAB-EXPECT-SPLAT-END".
# usage: check-console.sh LOG
. "$(dirname "$0")/common.sh"

[ -f "${1:-}" ] || die "${1:-the console} is missing"
exec python3 "$top/lab/report" splats "$1"
