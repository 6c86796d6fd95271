#!/bin/sh
# Writes the commits of build/BASE (base..series) as the queue: one
# <subject-slug>.patch each, and the file series. What it writes depends on the
# commits alone, so a second run changes nothing.
# usage: refresh.sh [DIRECTORY]     default: patches/BASE
. "$(dirname "$0")/lib.sh"

out=${1:-$queue}
[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
[ "$(tree_git symbolic-ref -q --short HEAD || :)" = series ] ||
	die "$tree is not on its branch series (a rebase under way?): finish that first"
work=$(work_in "$tree")
if [ -n "$work" ]; then
	echo "$work" | head -20 >&2
	die "$tree has uncommitted work, see above: commit or undo it first"
fi
[ -z "$(tree_git rev-list --min-parents=2 base..series)" ] ||
	die "there is a merge in base..series: a queue has to be a straight line"
unsquashed=$(tree_git log --format=%s base..series | grep -E '^(fixup|squash|amend)! ' || :)
[ -z "$unsquashed" ] ||
	die "first git -C $tree rebase -i --autosquash base:" "$unsquashed"

tmp=$(mktemp -d "$build/tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

: >"$tmp/series"
for commit in $(tree_git rev-list --reverse base..series); do
	name=$(tree_git show -s --format=%f "$commit").patch
	[ ! -e "$tmp/$name" ] || die "two commits would be $name: change a subject"
	tree_git format-patch -1 --stdout --zero-commit --no-signature --no-numbered \
		--subject-prefix=PATCH --full-index --no-renames --diff-algorithm=myers \
		--stat=72 "$commit" >"$tmp/$name"
	echo "$name" >>"$tmp/series"
done

mkdir -p "$out"
changed=0
for file in "$tmp"/*; do
	name=${file##*/}
	cmp -s "$file" "$out/$name" && continue
	cp "$file" "$out/$name"
	changed=$((changed + 1))
	[ "$out" != "$queue" ] || say "wrote $name"
done
for file in "$out"/*.patch; do
	name=${file##*/}
	[ -e "$file" ] || continue
	[ ! -e "$tmp/$name" ] || continue
	rm "$file"
	changed=$((changed + 1))
	[ "$out" != "$queue" ] || say "removed $name"
done
[ "$out" = "$queue" ] || exit 0
[ "$changed" -gt 0 ] || say "the queue is up to date"

record_queue "$(tree_git rev-parse series)"
