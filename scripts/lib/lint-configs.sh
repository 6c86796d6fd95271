#!/bin/sh
# What is not run still has to compile: the objects that the series touches, in
# the configurations of config/compile, without a warning (but #warning: that is about
# the configuration).
. "$(dirname "$0")/common.sh"

out=$logs/lint
mkdir -p "$out"
scratch=
llvm=$(llvm_suffix)
command -v "clang$llvm" >/dev/null || die "clang$llvm is missing: run scripts/deps.sh lint"
compilers="$(gcc --version | head -1) $("clang$llvm" --version | head -1)"

# symbol_of FILE: what all has to be on for it to be compiled at all.
symbol_of() {
	case $1 in
	mm/mmu_notifier.c) echo MMU_NOTIFIER ;;
	mm/fail_mmu_notifier.c) echo FAIL_MMU_NOTIFIER ;;
	mm/tests/oom_reaper_kunit.c) echo OOM_REAPER_KUNIT_TEST ;;
	mm/tests/fail_mmu_notifier_kunit.c) echo FAIL_MMU_NOTIFIER_KUNIT_TEST ;;
	mm/tests/*) echo MMU_NOTIFIER_KUNIT_TEST ;;
	mm/swapfile.c) echo SWAP ;;
	mm/khugepaged.c | mm/huge_memory.c) echo TRANSPARENT_HUGEPAGE ;;
	mm/userfaultfd.c) echo USERFAULTFD ;;
	virt/kvm/pfncache.c) echo HAVE_KVM_PFNCACHE ;;
	virt/kvm/*) echo KVM ;;
	lib/test_hmm.c) echo TEST_HMM ;;
	lib/test_mmu_notifier.c) echo TEST_MMU_NOTIFIER ;;
	*/amdgpu/amdgpu_hmm.c) echo DRM_AMDGPU_USERPTR ;;
	*/amdgpu/amdgpu_amdkfd_*.c) echo HSA_AMD ;;
	*/amdgpu/*) echo DRM_AMDGPU ;;
	*/amdkfd/kfd_svm.c) echo HSA_AMD_SVM ;;
	*/amdkfd/*) echo HSA_AMD ;;
	*/radeon/*) echo DRM_RADEON_USERPTR ;;
	*/nouveau/nouveau_svm.c) echo DRM_NOUVEAU_SVM ;;
	*/xe/xe_userptr.c | */drm_gpusvm.c) echo DRM_GPUSVM ;;
	*/xe/*) echo DRM_XE ;;
	*/core/umem_odp.c | */mlx5/odp.c) echo INFINIBAND_ON_DEMAND_PAGING ;;
	*/rxe/rxe_odp.c) echo RDMA_RXE INFINIBAND_ON_DEMAND_PAGING ;;
	*/rxe/*) echo RDMA_RXE ;;
	*/amdxdna/*) echo DRM_ACCEL_AMDXDNA ;;
	drivers/hv/mshv_*) echo MSHV_ROOT ;;
	*/hfi1/*) echo INFINIBAND_HFI1 ;;
	*/xen/gntdev*.c) echo XEN_GNTDEV ;;
	mm/*) echo MMU ;;
	fs/userfaultfd.c) echo USERFAULTFD ;;
	kernel/cgroup/*) echo CGROUPS ;;
	lib/fault-inject.c) echo FAULT_INJECTION ;;
	*) die "scripts/lib/lint-configs.sh does not know which symbol $1 needs" ;;
	esac
}

# objects CONFIG: those of the touched files that this configuration has.
objects() {
	for file in $(tree_git diff --name-only --diff-filter=d base series -- \
			'*.c' ':!tools' ':!samples' ':!Documentation'); do
		symbols=$(symbol_of "$file") || return
		for symbol in $symbols; do
			grep -qE "^CONFIG_$symbol=[ym]" "$1" || continue 2
		done
		object "$file"
	done
}

# fragments_of NAME: with the drivers if it says so
fragments_of() {
	fragments vm
	! grep -qx '# with drivers' "$top/config/compile/$1.config" || fragments drivers
	fragments "compile/$1"
}

# as_asked CONFIG FRAGMENT...: every line of the fragments came out as it says.
as_asked() {
	asked=$1
	shift
	cat "$@" | while read -r line; do
		case $line in
		CONFIG_*=y) grep -qx "$line" "$asked" ;;
		'# CONFIG_'*' is not set')
			symbol=${line#\# }
			! grep -q "^${symbol%% *}=" "$asked"
			;;
		*) continue ;;
		esac || { echo "the configuration does not have: $line" >&2; exit 1; }
	done
}

# compile NAME [MAKE-ARGUMENT...]
# shellcheck disable=SC2046,SC2086 # lists
compile() {
	name=$1
	shift
	objdir=$scratch/o-compile-$name
	mkdir -p "$objdir"
	cat $(fragments_of "$name") >"$objdir/lab.config"
	kmake "$scratch" "compile-$name" "$@" KCONFIG_ALLCONFIG="$objdir/lab.config" allnoconfig &&
		as_asked "$objdir/.config" $(fragments "compile/$name") &&
		kmake "$scratch" "compile-$name" "$@" prepare || return
	# Not inside of the command: what fails there is not noticed.
	wanted=$(objects "$objdir/.config") && [ -n "$wanted" ] || return
	kmake "$scratch" "compile-$name" "$@" $wanted
}

for fragment in "$top"/config/compile/*.config; do
	name=$(basename "$fragment" .config)
	case $name in
	i386) set -- ARCH=i386 ;;
	clang) set -- CC="ccache clang$llvm" HOSTCC=gcc ;;
	arm | arm64) set -- ARCH="$name" LLVM="${llvm:-1}" CC="ccache clang$llvm" ;;
	*) set -- ;;
	esac
	# shellcheck disable=SC2046 # a list
	if ! is_cached compile "$(cat $(fragments_of "$name") "$0" | sha1sum)" \
			"$(tree_git rev-parse 'series^{tree}')" "$compilers"; then
		if [ -z "$scratch" ]; then
			scratch_tree
			plain_git -C "$scratch" checkout -q --detach series
		fi
		if ! compile "$name" "$@" >"$out/compile-$name.log" 2>&1 ||
				grep -E '^(\.\./)?(fs|kernel|mm|include|lib|drivers)/.*warning: ' "$out/compile-$name.log" |
					grep -v 'W#warnings' >&2; then
			not_ok "compiles: $name (see $out/compile-$name.log)"
			continue
		fi
		remember
	fi
	ok "compiles: $name ($(sed -n '1s/^# *//p' "$fragment"))"
done
