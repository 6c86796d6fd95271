#!/bin/sh
# The kernel of each series, on the base and what it needs, without the rest: it
# builds, boots, and passes the tests that are there by then. In User Mode Linux, which
# has no drivers: of their series it shows that the core is left as it was.
# Their notifiers are for test-drivers.sh, their builds for lint-builds.sh.
# usage: test-series.sh [SERIES...]
. "$(dirname "$0")/lib/common.sh"

out=$logs/series
rm -rf "$out"
mkdir -p "$out"
um=$build/um/$BASE
# Of the kselftests some of each kind: the VM runs all of them
some="one_refusing ten_attempts list_chunks mrelease worker_frees_always_refused
worker_hangs turns_new_first"
some_unstable="oom_unstable.uffd_copy oom_unstable.swap_in"

# go_to COMMIT: the tree there; what is the same keeps its time
go_to() {
	if ! plain_git -C "$um/tree" rev-parse -q --verify "$1^{commit}" >/dev/null 2>&1; then
		rm -rf "$um/tree"
		plain_git -C "$tree" worktree prune
		plain_git -C "$tree" worktree add -q --detach "$um/tree" "$1" || return
	fi
	plain_git -C "$um/tree" checkout -q -f --detach "$1" || return
	# Only the test device selects it, and comes after the KUnit suites.
	sed -i '/^config MMU_NOTIFIER$/,/bool/s/bool$/bool "MMU notifiers"/' "$um/tree/mm/Kconfig"
}

# kernel_of COMMIT: one name for all of it that is in User Mode Linux
kernel_of() {
	tree_git diff base "$1" -- . ':!drivers' ':!virt' ':!Documentation' ':!samples' \
		':!scripts' ':!MAINTAINERS' | git hash-object --stdin
}

# judge SERIES WHAT WANTED LINES: of what test-um.sh has said, that so many have passed
judge() {
	good=$(grep -c '^ok .*\.' "$4" || :)
	bad=$(grep '^not ok ' "$4" | grep -cvx "not ok kunit: no case was run" || :)
	if grep -q '^ok [a-z]*: # SKIP no process' "$4"; then
		ok "series: $1: $2 # SKIP no process of User Mode Linux runs here (see $4)"
	elif [ "$bad" = 0 ] && [ "$good$3" = 00 ]; then
		ok "series: $1 boots, and has no $2 yet"
	elif [ "$bad" = 0 ] && [ "$good" -ge "$3" ]; then
		ok "series: $1 boots, $good $2 pass"
	else
		not_ok "series: $1: $good $2 pass, $3 wanted, $bad fail (see $4)"
	fi
}

# run kunit|selftests TEST...: in what was built
run() { "$top/scripts/test-um.sh" "$um/tree" "$um/o-um" "$out" "$@"; }

# What decides about a verdict beside the kernel
inputs=$({
	cat "$0" "$top/scripts/lib/um.sh" "$top/scripts/test-um.sh" "$top/scripts/lib/selftests.sh" "$top/scripts/lib/initramfs.sh" \
		"$top/scripts/lib/check-console.sh" "$top/lab/um.config"
	find "$top/lab/guest" "$top/lab/report" -name '*.pyc' -prune -o -type f -print | sort | xargs cat
	gcc --version
} | sha1sum)

"$top/scripts/deps.sh"
"$top/scripts/tree.sh" -w
mkdir -p "$um"
exec 9>"$um/lock"
flock -n 9 || die "another one is at work in $um"
# shellcheck disable=SC2046 # a list
[ $# -gt 0 ] || set -- $(series_names)
for series; do
	[ -n "$(patches_of "$series")" ] || die "no such series: $series"
	# shellcheck disable=SC2046 # lists
	tip=$("$top/scripts/lib/import.sh" $(patches_of $(series_needs "$series")) \
		$(patches_of "$series")) || exit 1
	kernel=$(kernel_of "$tip")
	if is_cached series "$(tree_git rev-parse base)" "$kernel" "$inputs"; then
		ok "series: $series boots and passes the tests that are there (as one with the same code did)"
		continue
	fi
	say "$series"
	mkdir -p "$um"
	if ! { go_to "$tip" && nice -n 5 "$top/scripts/lib/um.sh" build "$um/tree" "$um/o-um"; } >&2; then
		not_ok "series: $series does not build (see $um/o-um.log)"
		continue
	fi
	if ! grep -qx CONFIG_MMU_NOTIFIER=y "$um/o-um/.config"; then
		not_ok "series: $series: the kernel has no MMU notifiers"
		continue
	fi
	# It wants ptrace() and memory that can be executed, which not every container has.
	"$top/scripts/lib/um.sh" boot "$um/o-um/linux" "$out/probe" 60 mem=64M kunit.enable=0 || :
	if ! grep -q 'Linux version' "$out/probe"; then
		ok "series: # SKIP User Mode Linux does not run here (see $out/probe)"
		exit 0
	fi
	# A case is a line in what the queue adds.
	wanted=$(tree_git diff base "$tip" -- 'mm/tests/*_kunit.c' | grep -c '^+.*KUNIT_CASE' || :)
	run kunit >"$out/$series.kunit" || :
	judge "$series" "cases of KUnit" "$wanted" "$out/$series.kunit" | tee "$out/$series"
	selftests=$um/tree/tools/testing/selftests/mm
	if [ -e "$selftests/oom_notifier.c" ]; then
		tests=$some
		[ ! -e "$selftests/oom_unstable.c" ] || tests="$tests $some_unstable"
		# shellcheck disable=SC2086 # a list
		run selftests $tests >"$out/$series.selftests" || :
		judge "$series" kselftests "$(echo "$tests" | wc -w)" "$out/$series.selftests" |
			tee -a "$out/$series"
	fi
	grep -qE '^not ok |# SKIP' "$out/$series" || remember
done
