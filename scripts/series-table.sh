#!/bin/sh
# Writes docs/series-BASE.md: each series of the queue, its patches, the lines that each
# adds and removes, and which test fails when it is taken out (lab/prove). As
# scripts/prove.sh does it, the proofs of the default base count for a patch of the same
# name, if the test is there for this base, too.
# usage: series-table.sh
. "$(dirname "$0")/lib/common.sh"

need_queue
out=$top/docs/series-$BASE.md
proofs=$top/lab/prove/$BASE
others=$top/lab/prove/$default_base

# there_is KIND TEST: on this base? Those that are no program's are the laboratory's.
there_is() {
	case $1 in
	kunit | selftest) grep -rqwF "${2##*.}" "$queue" ;;
	drivers)
		driver=$top/lab/drivers/${2%%.*}
		for file in "$driver"/*.[ch] "$driver/$BASE"/*.[ch]; do
			[ "${file%/*}" = "$driver/$BASE" ] || [ ! -e "$driver/$BASE/${file##*/}" ] || continue
			! grep -qswF "${2##*.}" "$file" || return 0
		done
		return 1
		;;
	esac
}

# shown_by SLUG.patch: the tests that its proofs name
shown_by() {
	grep -lxF "Patch: $1" "$proofs"/*.patch "$others"/*.patch 2>/dev/null | sort -u |
	while read -r proof; do
		# The same name: the one of this base replaces it.
		[ "${proof%/*}" = "$proofs" ] || [ ! -e "$proofs/${proof##*/}" ] || continue
		sed -n '/^diff /q; s/^Fails: *//p' "$proof" | while read -r kind test; do
			! there_is "$kind" "$test" || echo "$kind $test"
		done
	done | sort -u | awk '{ $1 = $1 ":"; printf "%s%s", (NR > 1 ? ", " : ""), $0 }'
}

{
	echo "# The series for Linux $BASE"
	echo
	echo "Written by scripts/series-table.sh. The order is that of patches/$BASE/series."
	echo "\"Lines\" are those that a patch adds and removes. \"Shown by\": the tests that fail"
	echo "when the patch, or a part of it, is taken out (\`make prove\`)."
	echo "Nothing there: the patch is a test, a tool or a text, or lab/prove/none says why."
	[ "$BASE" = "$default_base" ] ||
		echo "A test may be one of Linux $default_base for the patch of the same name."
	for series in $(series_names); do
		echo
		echo "## $series: $(series_field "$series" Subject)"
		echo
		echo "For $(series_field "$series" Tree) ($(series_field "$series" List))." \
			"Needs: $(series_needs "$series" | paste -sd, - | sed 's/,/, /g; s/^$/nothing/')." \
			"[Cover letter](../patches/$BASE/$series/cover-letter.md)."
		echo
		echo "| patch | lines | shown by |"
		echo "|---|---|---|"
		for patch in $(patches_of "$series"); do
			# A subject that is folded goes on in lines that begin with a space.
			subject=$(awk '/^Subject: /{ s = $0; while ((getline line) > 0 && line ~ /^ /) s = s line
				sub(/^Subject: \[PATCH\] /, "", s); print s; exit }' "$queue/$patch")
			echo "| [$subject](../patches/$BASE/$patch) | $(lines_of "$patch") | $(shown_by "${patch##*/}") |"
		done
	done
} >"$out"
say "wrote ${out#"$top/"}"
