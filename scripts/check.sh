#!/bin/sh
# The tests: KUnit, kselftests, the drivers' notifiers, rules that are broken, a
# minute of endurance, in the VM with the debug kernel, the consoles, the coverage,
# the Coccinelle rule and lint of the texts. Ends with
# "N passed, N failed, N skipped". A skip that is not in lab/skips is a failure.
# usage: check.sh [-s]     -s: the short check of a base that is not the default:
# KUnit, kselftests, lint of the texts, and a build of every patch
# DEADLINE=SECONDS since 1970: nothing is begun that may not end before; what is left
# out for that is named, and counts as skipped.
. "$(dirname "$0")/lib.sh"

short=
[ "${1:-}" != -s ] || short=y

results=$logs/check
rm -rf "$results"
mkdir -p "$results"

# suite MINUTES NAME COMMAND...: if these minutes are left
suite() {
	suite_needs=$1 suite_name=$2
	shift
	if time_left "$suite_needs"; then
		"$top/scripts/suite.sh" "$@"
	else
		ok "$suite_name # SKIP $(no_time "$suite_needs")" | tee "$results/$suite_name"
	fi
}

# step TEXT COMMAND...: one without results of its own
step() {
	step_text=$1
	shift
	if "$@"; then
		ok "$step_text"
	else
		not_ok "$step_text"
	fi | tee -a "$results/steps"
	! grep -qxF "not ok $step_text" "$results/steps"
}

# The suites that were wanted have said something, be it that they can't begin.
finish() {
	for name in $wanted; do
		[ ! -s "$results/$name" ] || continue
		if grep -q '^ok the debug kernel builds # SKIP' "$results/steps"; then
			ok "$name # SKIP $(no_time 0)"
		else
			not_ok "$name: no result"
		fi | tee "$results/$name"
	done
	sed '/^#/d; /^$/d' "$top/lab/skips" >"$results/.skips"
	cat "$results"/* | sed -n 's/^ok \(.*# SKIP.*\)/\1/p' | grep -vEf "$results/.skips" |
		sed 's/^/not ok skipped: /' >"$results/.skipped" || :
	mv "$results/.skipped" "$results/skips"
	skipped=$(cat "$results"/* | grep -c '^ok .*# SKIP' || :)
	passed=$(($(cat "$results"/* | grep -c '^ok ' || :) - skipped))
	failed=$(cat "$results"/* | grep -c '^not ok ' || :)
	if [ "$failed" -gt 0 ]; then
		echo
		cat "$results"/* | grep '^not ok '
		echo "and why:"
		cat "$results"/.said-* | grep -E '# FAILED|(EXPECTATION|ASSERTION) FAILED|^  [|] line ' | head -40
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

trap 'exit 130' INT
trap 'exit 143' TERM HUP

# build_kernel: what was compiled when the time is up is in the cache for next time
build_kernel() {
	if [ -z "${DEADLINE:-}" ]; then
		"$top/scripts/build.sh" series debug
	elif time_left 1; then
		timeout $((DEADLINE - $(date +%s))) "$top/scripts/build.sh" series debug
	else
		return 124
	fi
}

wanted="steps"
if step "the packages are there" "$top/scripts/deps.sh" lab demo lint &&
		step "the queue applies" "$top/scripts/tree.sh" -w; then
	if [ -n "$short" ]; then
		wanted="$wanted lint kunit selftests builds"
		suite 5 lint "$top/scripts/lint.sh" -t
	else
		wanted="$wanted kunit kunit-py selftests users rules example soak cocci lint"
	fi
	build_kernel && code=0 || code=$?
	if [ "$code" = 124 ]; then
		ok "the debug kernel builds # SKIP $(no_time 0)" | tee -a "$results/steps"
	elif step "the debug kernel builds" [ "$code" = 0 ]; then
		suite 5 kunit "$top/scripts/test-kunit.sh" series
		suite 15 selftests "$top/scripts/test-selftests.sh" series
		if [ -z "$short" ]; then
			for name in kunit-py users rules example; do
				suite 10 "$name" "$top/scripts/test-$name.sh" series
			done
			suite 5 soak "$top/scripts/soak.sh" 60
		fi
	fi
	if [ -n "$short" ]; then
		suite 1 builds "$top/scripts/lint-builds.sh"
	else
		"$top/scripts/check-host.sh"
	fi
fi
finish
