#!/bin/sh
# The KUnit suites on every kernel of lab/variants: other architectures, PREEMPT_RT, no
# huge pages. A table of how many cases passed goes to results/BASE/variants.md.
# usage: variants.sh [NAME...]     default: all of them, and the table
. "$(dirname "$0")/lib.sh"

out=$logs/variants
results=$top/results/$BASE
rm -rf "$out"
mkdir -p "$out" "$results"
all=
if [ $# = 0 ]; then
	all=y
	# shellcheck disable=SC2046 # names
	set -- $(sed 's/#.*//; s/ .*//; /^$/d' "$top/lab/variants")
fi

"$top/scripts/deps.sh" lab "$@"
"$top/scripts/tree.sh" -w
for name; do
	"$top/scripts/test-kunit-py.sh" series "$name" >"$out/$name" || exit 1
	say "$name: $(grep -c '^ok ' "$out/$name") ok, $(grep -c '^not ok ' "$out/$name") not ok"
done
[ -z "$all" ] || {
	cat <<-END
	# make variants, Linux $BASE

	Written by scripts/variants.sh, not by hand: the KUnit suites of mm/tests on kernels
	that kunit.py builds and boots in QEMU. What each is stands in lab/variants. Where it
	ran: variants-environment.txt.

	| variant | passed | skipped | failed | skipped, because |
	|---|---|---|---|---|
	END
	for name; do
		awk -v name="$name" '
			/^not ok/ { failed++; next }
			/# SKIP/ { skipped++; sub(/.*# SKIP */, ""); if (!seen[$0]++) why = why (why ? "; " : "") $0; next }
			{ passed++ }
			END { printf "| %s | %d | %d | %d | %s |\n", name, passed, skipped, failed, why }' "$out/$name"
	done
} >"$out/variants.md"
[ -z "$all" ] || {
	cat "$out/variants.md"
	cp "$out/variants.md" "$results/variants.md"
	"$top/scripts/environment.sh" >"$results/variants-environment.txt"
	"$top/scripts/results.sh"
}
! cat "$out"/* | grep '^not ok '
