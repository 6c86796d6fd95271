#!/bin/sh
# Every patch builds, on the base and what its series needs: the objects of the files that it touches, and those at
# the heart of the series, without a warning (W=1) that the base does not have.
# At the end sparse reads all of them, if it can read this kernel; not if only some
# series are wanted.
# usage: lint-builds.sh [SERIES...]
. "$(dirname "$0")/common.sh"

out=$logs/lint
mkdir -p "$out" "$cache"
always="mm/mmu_notifier.o mm/oom_kill.o mm/memory.o"
fragments=$(fragments vm drivers debug)
# shellcheck disable=SC2086 # a list
inputs=$(cat $fragments "$0" | sha1sum)$(tree_git rev-parse 'base^{tree}')$(gcc --version | head -1)
scratch=

# objects FROM TO: what to build for the changes in between. Not the selftests
# and samples, which are programs.
objects() {
	for file in $(tree_git diff --name-only --diff-filter=d "$1" "$2" -- \
			'*.c' ':!tools' ':!samples' ':!Documentation'); do
		object "$file"
	done
	echo "$always"
}

# Messages without line numbers, to compare those of two versions of a file.
messages() {
	grep -E '(warning|error): ' "$1" | sed -E 's/^([^:]*):[0-9]+(:[0-9]+)?:/\1:/' | sort -u
}

# go_to COMMIT: configured, with everything generated that objects need.
go_to() {
	[ -n "$scratch" ] || scratch_tree
	plain_git -C "$scratch" checkout -q --detach "$1"
	mkdir -p "$scratch/o-lint"
	# shellcheck disable=SC2086 # a list
	cat $fragments >"$scratch/o-lint/lab.config"
	kmake "$scratch" lint KCONFIG_ALLCONFIG="$scratch/o-lint/lab.config" allnoconfig &&
		kmake "$scratch" lint prepare
}

# The base's own messages, about every file that the series changes.
base_objects=$(for object in $(objects base series); do
	source=$(echo "${object%.o}.c" | sed 's,/amdgpu/\.\./,/,')
	! tree_git cat-file -e "base:$source" 2>/dev/null || echo "$object"
done | sort -u)
known=$cache/lint-base-$(echo "$inputs $base_objects" | sha1sum | cut -c1-40)
build_base() {
	say "building the base's objects to compare with"
	# shellcheck disable=SC2086 # a list
	if ! {
		go_to base &&
			kmake "$scratch" lint W=1 $base_objects &&
			kmake "$scratch" lint W=1 C=2 CHECK=sparse $base_objects
	} >"$out/build-base.log" 2>&1; then
		die "the base does not build: see $out/build-base.log"
	fi
	messages "$out/build-base.log" >"$known"
}

# check NAME LOG COMMIT ARGS...: builds there with these make arguments, and
# compares what the compiler or sparse says.
check() {
	check_name=$1 check_log=$2 check_commit=$3
	shift 3
	if is_cached builds "$inputs" "$(tree_git rev-parse "$check_commit^{tree}")" "$*"; then
		ok "$check_name"
		return
	fi
	[ -e "$known" ] || build_base
	if go_to "$check_commit" >"$check_log" 2>&1 &&
			kmake "$scratch" lint "$@" >"$check_log" 2>&1 &&
			! messages "$check_log" | comm -23 - "$known" | grep -q .; then
		remember
		ok "$check_name"
	else
		not_ok "$check_name (see $check_log)"
		{
			messages "$check_log" | comm -23 - "$known"
			grep -E 'Error |No rule' "$check_log"
		} | head -10 | sed 's/^/  | /' >&2
	fi
}

# Each series stands on the base and what it needs, without the rest.
only=$*
# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(series_names)
for series; do
	[ -n "$(patches_of "$series")" ] || die "no such series: $series"
	# shellcheck disable=SC2046 # lists
	before=$("$top/scripts/lib/import.sh" $(patches_of $(series_needs "$series"))) || exit 1
	for commit in $("$top/scripts/lib/series-commits.sh" "$series"); do
		slug=$(tree_git show -s --format=%f "$commit")
		# shellcheck disable=SC2046 # a list
		check "builds at $series/$slug" "$out/build-$slug.log" "$commit" \
			W=1 $(objects "$before" "$commit")
		before=$commit
	done
done
[ -z "$only" ] || exit 0
# A kernel that finds sparse too old does not run it, and builds all the same.
if [ -e "$tree/scripts/checker-valid.sh" ] &&
		[ "$(sh "$tree/scripts/checker-valid.sh" sparse)" != 1 ]; then
	ok "sparse # SKIP $(sparse --version) is too old for Linux $BASE"
	exit 0
fi
# shellcheck disable=SC2046 # a list
check "sparse" "$out/sparse.log" series W=1 C=2 CHECK=sparse $(objects base series)
