#!/bin/sh
# Boots a debug kernel, whose KUnit suites run by themselves, and prints a line
# "ok ..." or "not ok ..." for each case, for the console, and for how much of the
# files in lab/coverage.list was reached.
# usage: test-kunit.sh series|scratch [GLOB]      SUITE or SUITE.CASE
. "$(dirname "$0")/lib.sh"

which=$1 glob=${2:-}
src=$(tree_of "$which")
objects=$src/o-$debug
out=$logs/kunit-$which
console=$out/console.log
rm -rf "$out"
mkdir -p "$out"

names=$(awk '!/^#/ { sub(/.*\//, "", $1); sub(/\.c$/, "", $1); printf ",%s", $1 }' "$top/lab/coverage.list")
"$top/scripts/initramfs.sh" "$which" "$debug" "$out/initramfs.cpio" "$top/lab/guest/run-kunit"
if "$top/scripts/boot.sh" -t 600 -a "lab.run=/bin/run-kunit$names kunit.enable=1${glob:+ kunit.filter_glob=$glob}" \
		"$objects/$image" "$out/initramfs.cpio" "$console"; then
	ok "kunit: the VM boots and ends"
else
	not_ok "kunit: the VM boots and ends (see $console)"
fi

python3 "$top/lab/report" kunit "$console" kunit

if "$top/scripts/check-console.sh" "$console"; then
	ok "kunit: nothing bad on the console"
else
	not_ok "kunit: nothing bad on the console (see $console)"
fi

[ -z "$glob" ] || exit 0
grep -v '^#' "$top/lab/coverage.list" | while read -r source wanted functions; do
	name=$(basename "$source" .c)
	[ -e "$src/$source" ] || continue
	tr -d '\r' <"$console" | sed -n "/^LAB-GCDA-BEGIN $name\$/,/^LAB-GCDA-END\$/{/^LAB-/!p}" |
		base64 -d >"$out/$name.gcda" 2>/dev/null || :
	percent=
	if [ -s "$out/$name.gcda" ]; then
		cp "$objects/mm/$name.gcno" "$out/"
		(cd "$objects" && gcov --stdout "$out/$name.gcda") >"$out/$name.gcov" 2>/dev/null || :
		(cd "$out" && gcov --json-format --stdout "$name.gcda") 2>/dev/null |
			"$top/lab/coverage.py" "$source" sum "$functions" >"$out/$name.percent" || :
		read -r percent _ <"$out/$name.percent" || :
	fi
	if [ -z "$percent" ]; then
		not_ok "kunit: line coverage of $source is not known (see $out)"
	elif [ "${percent%.*}" -ge "$wanted" ]; then
		ok "kunit: line coverage of $source: $percent % ($wanted wanted)"
	else
		not_ok "kunit: line coverage of $source: $percent % ($wanted wanted; see $out/$name.percent, $name.gcov)"
	fi
done
