#!/bin/sh
# Runs the series' Coccinelle rule on callbacks that are right or wrong by
# design (lab/cocci/cases.c and BASE/*.c say which) and on every file of both trees
# that has invalidate callbacks. What it finds there is in lab/cocci/BASE/*.expected.
# Prints a line "ok ..." or "not ok ..." for each.
# usage: test-cocci.sh [TREE]     TREE: instead of the series' tree
. "$(dirname "$0")/lib/common.sh"

series=$(cd "${1:-$tree}" && pwd)
rule=$series/scripts/coccinelle/api/mmu_notifier_nonblock.cocci
lab=$top/lab/cocci
out=$logs/cocci
rm -rf "$out"
mkdir -p "$out"
command -v spatch >/dev/null || die "spatch is missing: run scripts/deps.sh lint"
[ -f "$rule" ] || { not_ok "cocci: the series has the rule"; exit 0; }

# find_in NAME FILE...: what the rule says of them, to $out/NAME
find_in() {
	name=$1
	shift
	# spatch writes about its own progress on the same stream as errors.
	spatch -D report --no-show-diff --very-quiet --local-includes \
		--cocci-file "$rule" "$@" >"$out/$name" 2>"$out/$name.log" || {
		not_ok "cocci: spatch runs on $name (see $out/$name.log)"
		exit 0
	}
}

# compare TEXT WANTED FOUND
compare() {
	if diff -u "$2" "$3" >"$3.diff"; then
		ok "cocci: $1"
	else
		not_ok "cocci: $1 (see $3.diff)"
	fi
}

cd "$lab"
for cases in cases.c "$BASE"/*.c; do
	[ -e "$cases" ] || continue
	found=$out/$(basename "$cases" .c)
	find_in "${found##*/}" "$cases"
	sed -n 's/^[^:]*:\([0-9]*\):[^:]*: ERROR: a signal ends .*/\1 killed/p
		s/^[^:]*:\([0-9]*\):[^:]*: ERROR: .* can sleep .*/\1 sleeps/p
		s/^[^:]*:\([0-9]*\):[^:]*: WARNING: .*/\1 refuses/p' "$found" | sort >"$found.found"
	grep -nE '/\* (sleeps|killed|refuses) \*/$' "$cases" |
		sed 's,^\([0-9]*\):.*/\* \([a-z]*\) \*/$,\1 \2,' | sort >"$found.wanted"
	[ -s "$found.wanted" ] || not_ok "cocci: $cases has a case"
	compare "$(wc -l <"$found.wanted") findings in $cases, and no other" \
		"$found.wanted" "$found.found"
done

# Line numbers change with every patch.
for which in base series; do
	case $which in
	base) cd "$base_tree" ;;
	series) cd "$series" ;;
	esac
	say "$which (a minute)"
	# shellcheck disable=SC2046 # a list
	find_in $which $("$top/scripts/list-notifiers.sh" . | awk '$3 != "-" { print $1 }' | sort -u) \
		$(find lib/test_mmu_notifier.c 2>/dev/null)
	sed 's/:[0-9]*:[0-9-]*: /: /; s/:[0-9]*)$/)/' "$out/$which" | sort >"$out/$which.found"
	sed '/^#/d; /^$/d' "$lab/$BASE/$which.expected" | sort >"$out/$which.wanted"
	sleeps=$(grep -c ' can sleep ' "$out/$which.found" || :)
	signals=$(grep -c ': ERROR: a signal ends ' "$out/$which.found" || :)
	warnings=$(grep -c ': WARNING: ' "$out/$which.found" || :)
	compare "$which: $sleeps ways to sleep, $signals waits that a signal ends, $warnings early refusals" \
		"$out/$which.wanted" "$out/$which.found"
done
