#!/bin/sh
# What lint-builds.sh leaves out, the programs and the sample: at every patch that touches
# them, on the base and what its series needs, they build without a warning.
# usage: lint-programs.sh [SERIES...]
. "$(dirname "$0")/common.sh"

need_queue
[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
out=$logs/lint
mkdir -p "$out"
trap 'rm -rf "${tmp:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d "$build/tmp.XXXXXX")
mm=tools/testing/selftests/mm
sample=samples/mmu_notifier
compiler=$(gcc --version | head -1)
fragments=$(fragments vm drivers debug)
how=$(cat "$0" "$top/scripts/lib/selftests.sh" | sha1sum)

# go_to COMMIT
go_to() {
	[ -n "${scratch:-}" ] || scratch_tree
	plain_git -C "$scratch" checkout -q --detach "$1"
}

# build_programs COMMIT: those that are there in it, and what no program uses yet
build_programs() {
	go_to "$1" && "$top/scripts/lib/selftests.sh" "$scratch" || return 1
	[ ! -e "$scratch/$mm/oom_notifier_util.c" ] || [ -e "$scratch/$mm/oom_notifier.c" ] ||
		gcc -O2 -Wall -Werror -I "$scratch" -isystem "$scratch/tools/include/uapi" \
			-I "$scratch/tools/testing/selftests" \
			-I "$scratch/tools/testing/selftests/cgroup" \
			-I "$scratch/tools/testing/selftests/cgroup/lib/include" \
			-c -o "$tmp/util.o" "$scratch/$mm/oom_notifier_util.c"
}

# build_sample COMMIT: the module's objects and the program that uses it
build_sample() {
	go_to "$1" || return 1
	mkdir -p "$scratch/o-lint"
	# shellcheck disable=SC2086 # a list
	cat $fragments >"$scratch/o-lint/lab.config"
	kmake "$scratch" lint KCONFIG_ALLCONFIG="$scratch/o-lint/lab.config" allnoconfig &&
		kmake "$scratch" lint prepare || return 1
	set -- W=1 CONFIG_SAMPLES=y CONFIG_SAMPLE_MMU_NOTIFIER=m CONFIG_HMM_MIRROR=y "$sample/"
	kmake "$scratch" lint "$@" >"$tmp/sample.log" 2>&1 || { cat "$tmp/sample.log"; return 1; }
	! grep 'warning: ' "$tmp/sample.log"
}

# check NAME COMMIT HOW PATH: the files below PATH decide, and what they include
check() {
	inputs=$(tree_git ls-tree -r "$2" "$4" lib/test_mmu_notifier_uapi.h | sha1sum)
	if ! is_cached programs "$3" "$inputs" "$compiler" "$how" "$BASE"; then
		log=$out/$3-$(tree_git show -s --format=%f "$2").log
		if ! "$3" "$2" >"$log" 2>&1; then
			not_ok "$1 (see $log)"
			grep -E 'error|warning|Error' "$log" | head -10 | sed 's/^/  | /' >&2
			return
		fi
		remember
	fi
	ok "$1"
}

# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(series_names)
for series; do
	for commit in $("$top/scripts/lib/series-commits.sh" "$series"); do
		slug=$(tree_git show -s --format=%f "$commit")
		touched=$(tree_git diff-tree --no-commit-id --name-only -r "$commit")
		case $touched in
		*"$mm/"*) check "programs build at $series/$slug" "$commit" build_programs "$mm" ;;
		esac
		case $touched in
		*"$sample/"*) check "the sample builds at $series/$slug" "$commit" build_sample "$sample" ;;
		esac
	done
done
