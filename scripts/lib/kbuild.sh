#!/bin/sh
# kbuild in TREE/o-CONFIG. The object directory lies inside the tree so that
# source paths are relative and ccache hits across trees; nothing of the
# machine or the time goes into an object. The GCOV_ variables take effect only
# where CONFIG_GCOV_KERNEL is set; lab/coverage.list has the same objects.
# usage: kbuild.sh TREE CONFIG MAKE-ARGUMENT...
. "$(dirname "$0")/common.sh"

src=$1 config=$2
shift 2

# What was built for another configuration has structures of other sizes, and not
# every base sees that for external modules (7.3: an oops as ib_core was loaded).
for arg; do
	case $arg in M=*) dir=${arg#M=} ;; *) continue ;; esac
	if [ -d "$dir" ] && ! cmp -s "$src/o-$config/.config" "$dir/.lab-config"; then
		find "$dir" \( -name '*.o' -o -name '*.ko' -o -name '.*.cmd' \) -type f \
			-exec rm -f {} +
		cp "$src/o-$config/.config" "$dir/.lab-config"
	fi
done
exec make --no-print-directory -C "$src" O="o-$config" \
	${arch:+ARCH=$arch CROSS_COMPILE=$cross} CC="ccache ${cross}gcc" KBUILD_BUILD_TIMESTAMP=0 \
	KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=lab \
	GCOV_PROFILE_mmu_notifier.o=y GCOV_PROFILE_oom_kill.o=y \
	GCOV_PROFILE_fail_mmu_notifier.o=y -j"$JOBS" "$@" </dev/null
