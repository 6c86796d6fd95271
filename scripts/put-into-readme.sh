#!/bin/sh
# Puts FILE between <!-- NAME:begin --> and <!-- NAME:end --> of README.md.
# Without the two lines there it does nothing, and so for any but the default base,
# whose results it shows.
# usage: put-into-readme.sh NAME FILE
. "$(dirname "$0")/lib.sh"

[ $# = 2 ] || die "usage: put-into-readme.sh NAME FILE"
[ "$BASE" = "$default_base" ] || exit 0
name=$1 file=$2
readme=$top/README.md
[ "$(grep -c "^<!-- $name:\(begin\|end\) -->\$" "$readme" 2>/dev/null)" = 2 ] || exit 0
mkdir -p "$build"
awk -v file="$file" -v name="$name" '
	$0 == "<!-- " name ":end -->" { inside = 0 }
	!inside { print }
	$0 == "<!-- " name ":begin -->" {
		inside = 1
		while ((getline line <file) > 0)
			print line
	}' "$readme" >"$build/README.md"
cmp -s "$build/README.md" "$readme" || cat "$build/README.md" >"$readme"
rm "$build/README.md"
