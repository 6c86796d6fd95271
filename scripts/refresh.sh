#!/bin/sh
# Writes the commits of build/BASE (base..series) as the queue: one
# SERIES/<subject-slug>.patch each, and the file series. A patch stays in the
# series in which it is; a new one belongs to that of the commit before it. To
# move one, or to begin a series, edit the file series: a line names SERIES/SLUG.
# A second run changes nothing.
# usage: refresh.sh [DIRECTORY]     default: patches/BASE
. "$(dirname "$0")/lib/common.sh"

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
dir=$(series_names | head -1)
for commit in $(tree_git rev-list --reverse base..series); do
	slug=$(tree_git show -s --format=%f "$commit").patch
	known=$(queue_names | sed -n "s,/$slug\$,,p" | head -1)
	dir=${known:-$dir}
	name=$dir/$slug
	mkdir -p "$tmp/$dir"
	! grep -q "/$slug\$" "$tmp/series" || die "two commits would be $slug: change a subject"
	tree_git format-patch -1 --stdout --zero-commit --no-signature --no-numbered \
		--subject-prefix=PATCH --full-index --no-renames --diff-algorithm=myers \
		--stat=72 "$commit" >"$tmp/$name"
	echo "$name" >>"$tmp/series"
done

mkdir -p "$out"
changed=0
for name in series $(cat "$tmp/series"); do
	cmp -s "$tmp/$name" "$out/$name" && continue
	mkdir -p "$(dirname "$out/$name")"
	cp "$tmp/$name" "$out/$name"
	changed=$((changed + 1))
	[ "$out" != "$queue" ] || say "wrote $name"
done
for name in $(cd "$out" && find . -name '*.patch' | sed 's,^\./,,'); do
	[ ! -e "$tmp/$name" ] || continue
	rm "$out/$name"
	changed=$((changed + 1))
	[ "$out" != "$queue" ] || say "removed $name"
done
[ "$out" = "$queue" ] || exit 0
[ "$changed" -gt 0 ] || say "the queue is up to date"

record_queue "$(tree_git rev-parse series)"
