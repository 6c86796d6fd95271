#!/bin/sh
# The tests: KUnit, kselftests, the drivers' notifiers, KVM and HMM for real, the
# worked example and a minute of endurance, in the VM with the debug kernel, the
# consoles, the coverage, the Coccinelle rule, lint, and a short bench. Ends with
# "N passed, N failed, N skipped".
. "$(dirname "$0")/lib.sh"

results=$logs/check-results
mkdir -p "$logs"
: >"$results"

finish() {
	skipped=$(grep -c '^ok .*# SKIP' "$results" || :)
	passed=$(($(grep -c '^ok ' "$results" || :) - skipped))
	failed=$(grep -c '^not ok ' "$results" || :)
	if [ "$failed" -gt 0 ]; then
		echo
		grep '^not ok ' "$results"
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# step NAME COMMAND...: one without results of its own
step() {
	step_name=$1
	shift
	if "$@"; then
		ok "$step_name"
	else
		not_ok "$step_name"
	fi | tee -a "$results"
	! grep -qxF "not ok $step_name" "$results"
}

# suite NAME COMMAND...: one that prints results; to fail before it has one is
# a result, too
suite() {
	suite_name=$1
	suite_before=$(wc -l <"$results")
	shift
	"$@" | tee -a "$results"
	[ "$(wc -l <"$results")" -gt "$suite_before" ] ||
		not_ok "$suite_name: no result" | tee -a "$results"
}

if step "the packages are there" "$top/scripts/deps.sh" lab lint &&
		step "the queue applies" "$top/scripts/tree.sh" -w; then
	if step "the debug kernel builds" "$top/scripts/build.sh" series debug; then
		suite kunit "$top/scripts/test-kunit.sh" series
		suite selftests "$top/scripts/test-selftests.sh" series
		suite users "$top/scripts/test-users.sh" series
		suite real "$top/scripts/test-real.sh" series
		suite example "$top/scripts/test-example.sh" series
		suite soak "$top/scripts/soak.sh" 60
	fi
	suite cocci "$top/scripts/test-cocci.sh"
	suite lint "$top/scripts/lint.sh"
	suite bench env QUICK=1 "$top/scripts/bench.sh"
fi
finish
