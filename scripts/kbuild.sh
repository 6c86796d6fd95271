#!/bin/sh
# kbuild in TREE/o-CONFIG. The object directory lies inside the tree so that
# source paths are relative and ccache hits across trees; nothing of the
# machine or the time goes into an object. The GCOV_ variables take effect only
# where CONFIG_GCOV_KERNEL is set; lab/coverage.list has the same objects.
# usage: kbuild.sh TREE CONFIG MAKE-ARGUMENT...
. "$(dirname "$0")/lib.sh"

src=$1 config=$2
shift 2
exec make --no-print-directory -C "$src" O="o-$config" \
	CC="ccache gcc" KBUILD_BUILD_TIMESTAMP=0 \
	KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab \
	GCOV_PROFILE_mmu_notifier.o=y GCOV_PROFILE_oom_kill.o=y \
	GCOV_PROFILE_fail_mmu_notifier.o=y -j"$JOBS" "$@" </dev/null
