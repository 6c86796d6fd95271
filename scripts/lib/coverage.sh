#!/bin/sh
# How much of the files in lab/coverage.list a suite has reached: prints a line "ok ..."
# or "not ok ..." for each, of the counters that lab/guest/gcov has put on the console.
# usage: coverage.sh names SUITE                  their objects, each behind a comma
#        coverage.sh SUITE SOURCE-TREE OBJECTS CONSOLE OUT
. "$(dirname "$0")/common.sh"

# lines SUITE: source, percent and functions
lines() { sed -n "s/^$1 //p" "$top/lab/coverage.list"; }

if [ "$1" = names ]; then
	lines "$2" | awk '{ sub(/.*\//, "", $1); sub(/\.c$/, "", $1); printf ",%s", $1 }'
	exit 0
fi
[ $# = 5 ] || die "usage: coverage.sh SUITE SOURCE-TREE OBJECTS CONSOLE OUT"
suite=$1 src=$2 objects=$3 console=$4 out=$5
# Not all variants have the counters.
grep -qx CONFIG_GCOV_KERNEL=y "$objects/.config" || exit 0

lines "$suite" | while read -r source wanted functions; do
	name=$(basename "$source" .c)
	[ -e "$src/$source" ] || continue
	tr -d '\r' <"$console" | sed -n "/^LAB-GCDA-BEGIN $name\$/,/^LAB-GCDA-END\$/{/^LAB-/!p}" |
		base64 -d >"$out/$name.gcda" 2>/dev/null || :
	percent=
	if [ -s "$out/$name.gcda" ]; then
		cp "$objects/mm/$name.gcno" "$out/"
		(cd "$objects" && ${cross}gcov --stdout "$out/$name.gcda") >"$out/$name.gcov" 2>/dev/null || :
		(cd "$out" && ${cross}gcov --json-format --stdout "$name.gcda") 2>/dev/null |
			"$top/lab/coverage.py" "$source" sum "$functions" >"$out/$name.percent" || :
		read -r percent _ <"$out/$name.percent" || :
	fi
	if [ -z "$percent" ]; then
		not_ok "$suite: line coverage of $source is not known (see $out)"
	elif [ "${percent%.*}" -ge "$wanted" ]; then
		ok "$suite: line coverage of $source: $percent % ($wanted wanted)"
	else
		not_ok "$suite: line coverage of $source: $percent % ($wanted wanted; see $out/$name.percent, $name.gcov)"
	fi
done
