#!/bin/sh
# Where and on what something was measured, one "name: value" a line: the stamp that
# every result has.
# usage: environment.sh ["NAME: VALUE"...]     more lines, for this result
. "$(dirname "$0")/common.sh"

work=
[ -z "$(work_in "$tree")" ] || work=', and uncommitted work'
{
	echo "date: $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "queue: $(tree_git rev-list --count base..HEAD) patches on Linux $(kernel_version "$tree"), commit $(tree_git rev-parse --short=12 HEAD)$work, code $(code_id), core $(core_id)"
	for line; do echo "$line"; done
	echo "compiler: $(gcc --version | head -1)"
	echo "emulator: $(qemu-system-x86_64 --version | head -1), ${ACCEL:-tcg}"
	echo "host: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) processors"
} | while IFS= read -r line; do printf '%-12s %s\n' "${line%%: *}:" "${line#*: }"; done
