#!/bin/sh
# Refuses settings of make that cannot work, before anything is built or installed.
# usage: settings.sh [SECONDS]     the others come from the environment, see make help
. "$(dirname "$0")/lib/common.sh"

need_queue

# number NAME VALUE: from 1 on, or not set
number() {
	case $2 in
	*[!0-9]* | 0*) die "$1 is a number from 1 on, not \"$2\"" ;;
	esac
}
number JOBS "$JOBS"
number SECONDS "${1:-}"
number ROUNDS "${ROUNDS:-}"
number RUNS "${RUNS:-}"
case ${SEED:-} in
*[!0-9]*) die "SEED is a number, not \"$SEED\"" ;;
esac

# is_kernel NAME DIR: it is the source of this base
is_kernel() {
	[ -d "$2" ] || die "$1=$2 does not exist, or is no directory"
	version=$(kernel_version "$2")
	if [ -z "$version" ] && [ -e "$2/.git" ]; then
		version=$(plain_git -C "$2" show HEAD:Makefile 2>/dev/null |
			sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = *//p' | head -3 | paste -sd. -)
	fi
	case $version in
	"$BASE" | "$BASE".*) ;;
	'') die "$1=$2 is not a kernel source" ;;
	*)
		[ "$1" != SRC ] || die "$1=$2 is Linux $version, this queue is for $BASE"
		say "note: $1=$2 is Linux $version, what is not in $BASE may not compile"
		;;
	esac
}
[ -z "${SRC:-}" ] || is_kernel SRC "$SRC"
[ -z "${SOURCES:-}" ] || is_kernel SOURCES "$SOURCES"

# What QEMU knows; where it is still to be installed, what it knows on x86.
accel=${ACCEL:-tcg}
known="tcg kvm"
! command -v qemu-system-x86_64 >/dev/null ||
	known=$(qemu-system-x86_64 -accel help | sed 1d | paste -sd' ' -)
case " $known " in
*" ${accel%%,*} "*) ;;
*) die "ACCEL=$accel: QEMU knows $known" ;;
esac
[ "${accel%%,*}" != kvm ] || (: <>/dev/kvm) 2>/dev/null ||
	die "ACCEL=kvm: $(id -un) cannot open /dev/kvm"

for name in ${DRIVERS:-}; do
	[ -e "$top/lab/drivers/$name/Kbuild" ] || [ -e "$top/lab/drivers/$name/$BASE/Kbuild" ] ||
		die "DRIVERS: no lab/drivers/$name (there is: $(cd "$top/lab/drivers" && echo */ | tr -d /))"
done

if [ -n "${COMPARE:-}" ]; then
	case $COMPARE in
	*,*) ;;
	*) [ -n "${BASE_ONLY:-}" ] || die "COMPARE names two kernels: COMPARE=A,B" ;;
	esac
	for kernel in $(echo "$COMPARE" | tr , ' '); do
		[ -e "$kernel" ] || die "COMPARE: $kernel does not exist"
	done
fi

case ${CONFIG:-running} in
running) ;;
*) [ -f "$CONFIG" ] || die "CONFIG=$CONFIG does not exist: the .config of a kernel, or \"running\"" ;;
esac

for file in ${FILES:-}; do
	[ -f "$file" ] || die "FILES: $file does not exist, or is no file"
done
