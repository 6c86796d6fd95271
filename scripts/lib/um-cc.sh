#!/bin/sh
# The compiler of User Mode Linux, for um.sh. Kernels before 6.13 have room for the
# floating point registers that processors had then, and no process of theirs runs on a
# host with more ("ptrace set fp regs failed, errno = 14"): make that room larger.
# usage: um-cc.sh COMPILER ARGUMENT...    in the directory of the objects
for arg; do
	shift
	case $arg in
	*/arch/x86/um/user-offsets.c)
		# What AMX takes, in steps of 512. It stays, as kbuild looks at it afterwards.
		sed 's/\(HOST_FP_SIZE, \)2696)/\111264)/' "$arg" >lab-user-offsets.new || exit 1
		cmp -s lab-user-offsets.new lab-user-offsets.c ||
			cp lab-user-offsets.new lab-user-offsets.c
		arg=$PWD/lab-user-offsets.c
		;;
	esac
	set -- "$@" "$arg"
done
exec "$@"
