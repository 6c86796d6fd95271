#!/bin/sh
# Writes docs/series-BASE.md: each series of the queue, its patches, and which test
# fails when a patch is taken out (lab/prove).
# usage: series-table.sh
. "$(dirname "$0")/lib.sh"

need_queue
out=$top/docs/series-$BASE.md
proofs=$top/lab/prove/$BASE

# shown_by SLUG.patch: the tests that its proofs name
shown_by() {
	grep -lxF "Patch: $1" "$proofs"/*.patch 2>/dev/null | while read -r proof; do
		sed -n '/^diff /q; s/^Fails: *//p' "$proof"
	done | sort -u | awk '{ $1 = $1 ":"; printf "%s%s", (NR > 1 ? ", " : ""), $0 }'
}

{
	echo "# The series for Linux $BASE"
	echo
	echo "Written by scripts/series-table.sh. The order is that of patches/$BASE/series."
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
			echo "| [$subject](../patches/$BASE/$patch) | $(grep -c '^+[^+]' "$queue/$patch") | $(shown_by "${patch##*/}") |"
		done
	done
} >"$out"
say "wrote ${out#"$top/"}"
