#!/bin/sh
# Builds the kselftests of the series by their own Makefile, and installs them as
# "make kselftest-install TARGETS=mm" does, without the programs that are not the
# series'. Static: the VM has no libraries. Prints the directory, which has
# run_kselftest.sh, and in mm/ the programs that are there by then.
# usage: selftests.sh TREE
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: selftests.sh TREE"
src=$(cd "$1" && pwd) || die "there is no directory $1"
objects=selftests${cross:+-$VARIANT}
dir=$src/o-$objects
selftests=$src/tools/testing/selftests
log=$dir.log

set --
for program in oom_notifier oom_unstable oom_notifier_run; do
	[ ! -e "$selftests/mm/$program.c" ] || set -- "$@" "$dir/kselftest/mm/$program"
done
rm -rf "$dir/install"
mkdir -p "$dir/install/mm"
echo "$dir/install"
[ $# -gt 0 ] || exit 0

# A warning is an error, or it would be seen only once: what is built is not built again.
{
	kmake "$src" "$objects" headers &&
	make -C "$selftests" install TARGETS=mm FORCE_TARGETS=1 O="$dir" \
		KSFT_INSTALL_PATH="$dir/install" TEST_GEN_FILES="$*" TEST_GEN_MODS_DIR= \
		${cross:+CROSS_COMPILE="$cross"} USERCFLAGS=-Werror USERLDFLAGS=-static </dev/null
} >"$log" 2>&1 || {
	grep -E 'error|warning' "$log" | head -5 >&2
	die "a kselftest does not build: see $log"
}
