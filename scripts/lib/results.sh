#!/bin/sh
# The pages over what was measured: results/BASE/README.md, and the table of all
# bases in README.md. What measures calls it at its end.
# usage: results.sh [stale]
#   stale: prints instead which results are of other code than the queue has
. "$(dirname "$0")/common.sh"

if [ "${1:-}" = stale ]; then
	stale=$(python3 "$top/lab/report" stale "$top/results/$BASE" "$(code_id)" "$(core_id)") ||
		die "results/$BASE could not be looked at"
	for name in $stale; do
		say "results/$BASE: $name is of another state of the code: make $name"
	done
	exit 0
fi
mkdir -p "$top/results/$BASE" "$build"
# Both bases write to README.md, and may end at the same time.
exec 7>"$build/results.lock"
flock 7
made=$build/results-$BASE
mkdir -p "$made"
python3 "$top/lab/report" results "$top/results/$BASE" >"$made/README.md" ||
	die "no page could be made of results/$BASE"
cp "$made/README.md" "$top/results/$BASE/README.md"

# The default base comes first.
set -- "$top/results/$default_base"
for dir in "$top"/results/*/; do
	[ "${dir%/}" = "$1" ] || set -- "$@" "${dir%/}"
done
python3 "$top/lab/report" overview "$@" >"$made/overview" || die "no table could be made of results"
readme=$top/README.md
[ "$(grep -c "^<!-- overview:\(begin\|end\) -->\$" "$readme")" = 2 ] ||
	die "README.md has no lines <!-- overview:begin --> and <!-- overview:end -->"
awk -v file="$made/overview" '
	$0 == "<!-- overview:end -->" { inside = 0 }
	!inside { print }
	$0 == "<!-- overview:begin -->" {
		inside = 1
		while ((getline line <file) > 0)
			print line
	}' "$readme" >"$made/README.md"
cmp -s "$made/README.md" "$readme" || cat "$made/README.md" >"$readme"
rm -r "$made"
