#!/bin/sh
# Writes the numbered series with its cover letter, as for git send-email.
. "$(dirname "$0")/lib.sh"

cover=$queue/cover-letter.md
out=$build/mbox
[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
[ -f "$cover" ] || die "$cover is missing: first line subject, then the text"
work=$(work_in "$tree")
[ -z "$work" ] || die "$tree has uncommitted work: commit or undo it first"

# The cover letter comes from the author of the series.
name=$(tree_git show -s --format=%an series)
mail=$(tree_git show -s --format=%ae series)
text=$(
	sed '1s/^#* *//' "$cover"
	echo
	echo "Made on Linux $(kernel_version "$tree") (linux-source-$BASE)."
)
rm -rf "$out"
GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$mail \
	tree_git -c branch.series.description="$text" format-patch -q -o "$out" \
	--cover-letter --cover-from-description=subject --numbered \
	--no-signature --no-renames base..series
say "$(find "$out" -name '*.patch' | wc -l) mails in $out"
