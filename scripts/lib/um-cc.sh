#!/bin/sh
# The compiler of User Mode Linux, for um.sh. Kernels before 6.13 have room for the
# floating point registers that processors had then, and no process of theirs runs on a
# host with more ("ptrace set fp regs failed, errno = 14"): make that room larger.
# usage: um-cc.sh COMPILER ARGUMENT...
for arg; do
	shift
	case $arg in
	*/arch/x86/um/user-offsets.c)
		copy=${TMPDIR:-/tmp}/user-offsets.$$.c
		trap 'rm -f "$copy"' EXIT
		# What AMX takes, in steps of 512
		sed 's/\(HOST_FP_SIZE, \)2696)/\111264)/' "$arg" >"$copy" || exit 1
		arg=$copy
		;;
	esac
	set -- "$@" "$arg"
done
[ -z "${copy:-}" ] && exec "$@"
"$@"
