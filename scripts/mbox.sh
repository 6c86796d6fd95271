#!/bin/sh
# Writes a mailbox for each series: numbered, with its cover letter, the base and
# the patches that it needs in b4's form. Nothing is sent.
# usage: mbox.sh [SERIES...]
. "$(dirname "$0")/lib.sh"

out=$build/mbox/$BASE
[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
[ $# -gt 0 ] || {
	rm -rf "$out"
	# shellcheck disable=SC2046 # a list
	set -- $(series_names)
}
mkdir -p "$out"
for series; do
	cover=$queue/$series/cover-letter.md
	[ -f "$cover" ] || die "$cover is missing"
	# shellcheck disable=SC2046 # a list
	needed=$(patches_of $(series_needs "$series"))
	# shellcheck disable=SC2086 # a list
	from=$("$top/scripts/import.sh" $needed) || exit 1
	# shellcheck disable=SC2046,SC2086 # lists
	to=$("$top/scripts/import.sh" $needed $(patches_of "$series")) || exit 1
	text=$(
		series_field "$series" Subject
		sed '1,/^$/d' "$cover"
		echo
		echo "Made on Linux $(kernel_version "$tree")."
		[ -z "$needed" ] || echo "Needs: $(series_needs "$series" | paste -sd' ' -)"
	)
	name=$(tree_git show -s --format=%an "$to")
	mail=$(tree_git show -s --format=%ae "$to")
	tree_git branch -f -q mbox "$to"
	# shellcheck disable=SC2046 # a list
	GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$mail tree_git \
		-c branch.mbox.description="$text" format-patch -q --stdout \
		--cover-letter --cover-from-description=subject --numbered \
		--no-signature --no-renames --base=base $(
		series_field "$series" List | tr ' ' '\n' | sed '/^$/d; s/^/--to=/') \
		"$from..mbox" >"$out/$series.mbox"
	say "$series: $(patches_of "$series" | wc -l) patches in $out/$series.mbox"
done
tree_git branch -q -D mbox
