#!/bin/sh
# The tests: KUnit, kselftests, the drivers' notifiers, rules that are broken, swapoff()
# beside page faults, a minute of endurance, in the VM with the debug kernel, the consoles,
# the coverage, each series without those behind it, the Coccinelle rule and lint of the
# texts. Ends with "N passed, N failed, N skipped". A skip that is not in lab/skips is a
# failure.
# usage: check.sh [SUITE...]    default: all of them
# VARIANT=rt|arm64|64k: KUnit and the kselftests of that kernel instead, with arm64 also
# suite kvm; no-thp|i386: in User Mode Linux; no-notifiers, too, but suite reap. The
# counts are kept in results/BASE/variants.txt
. "$(dirname "$0")/lib/common.sh"

results=$logs/check
rm -rf "$results"
mkdir -p "$results"

# suite NAME COMMAND...: if it is wanted
suite() {
	case " $wanted " in *" $1 "*) "$top/scripts/suite.sh" "$@" || : ;; esac
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
		[ -s "$results/$name" ] ||
			not_ok "$name: no result" | tee "$results/$name"
	done
	sed -e '/^#/d; /^$/d' -e "s/^@$VARIANT //" -e '/^@/d' "$top/lab/skips" >"$results/.skips"
	cat "$results"/* | sed -n 's/^ok \(.*# SKIP.*\)/\1/p' | grep -vEf "$results/.skips" |
		sed 's/^/not ok skipped: /' >"$results/.skipped" || :
	mv "$results/.skipped" "$results/skips"
	skipped=$(cat "$results"/* | grep -c '^ok .*# SKIP' || :)
	passed=$(($(cat "$results"/* | grep -c '^ok ' || :) - skipped))
	failed=$(cat "$results"/* | grep -c '^not ok ' || :)
	: >"$logs/check.failed"
	if [ "$failed" -gt 0 ]; then
		{
			cat "$results"/* | grep '^not ok '
			echo "and why:"
			cat "$results"/.said-* | grep -E '# FAILED|(EXPECTATION|ASSERTION) FAILED|^  [|] line ' | head -40
		} >"$logs/check.failed"
		echo
		cat "$logs/check.failed"
	fi
	echo "$passed passed, $failed failed, $skipped skipped" | tee "$logs/check.counts"
	[ -z "$VARIANT" ] || keep
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# A line for each suite of the variant, with how many have passed, failed and skipped
keep() {
	kept=$top/results/$BASE/variants.txt
	mkdir -p "$top/results/$BASE"
	touch "$kept"
	{
		grep -vE "^$VARIANT ($(echo "$suites" | tr ' ' '|')) " "$kept" || :
		for name in $suites; do
			echo "$VARIANT $name $(grep '^ok ' "$results/$name" | grep -vc '# SKIP' || :)" \
				"$(grep -c '^not ok ' "$results/$name" || :)" \
				"$(grep -c '^ok .*# SKIP' "$results/$name" || :)" \
				"$(date -u +%F) $(core_id)"
		done
	} | sort >"$kept.new"
	mv "$kept.new" "$kept"
	"$top/scripts/lib/environment.sh" >"$top/results/$BASE/variants-environment.txt"
	"$top/scripts/lib/results.sh"
}

trap 'exit 130' INT
trap 'exit 143' TERM HUP

known="kunit kunit-py selftests series drivers rules example swapoff soak cocci lint"
case $VARIANT in
'') ;;
arm64) known="kunit selftests kvm" ;;
rt | 64k | no-thp | i386) known="kunit selftests" ;;
no-notifiers) known=reap ;;
*) die "no such variant: $VARIANT (there is: rt, arm64, 64k, no-thp, i386 and no-notifiers)" ;;
esac
asked=${*:-$known} suites=
for name in $asked; do
	# Its old name
	[ "$name" != users ] || name=drivers
	case " $known " in *" $name "*) ;; *) die "no such suite: $name (there is: $known)" ;; esac
	suites=${suites:+$suites }$name
done
wanted=steps
# The packages of a cross compiler have the name of the processor.
if step "the packages are there" "$top/scripts/deps.sh" lab demo lint ${foreign:+"$foreign"} &&
		step "the queue applies" "$top/scripts/tree.sh" -w; then
	wanted="$wanted $suites"
	case $VARIANT in
	no-thp | i386 | no-notifiers)
		for name in $suites; do
			suite "$name" "$top/scripts/test-variant.sh" "$name"
		done
		finish
		exit
		;;
	esac
	if step "the debug kernel builds" "$top/scripts/build.sh" series "$debug"; then
		for name in kunit kunit-py selftests drivers rules example swapoff kvm; do
			suite "$name" "$top/scripts/test-$name.sh" series
		done
		suite soak "$top/scripts/soak.sh" 60
	fi
	suite series "$top/scripts/test-series.sh"
	suite cocci "$top/scripts/test-cocci.sh"
	# A build of every patch takes too long beside the VMs: make lint does it.
	suite lint "$top/scripts/lint.sh" -t
fi
finish
