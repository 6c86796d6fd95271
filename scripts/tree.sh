#!/bin/sh
# Makes build/BASE: the base as a git repository (tag base), the queue on top
# of it, one commit a patch (branch series); and build/BASE-base beside it.
# usage: tree.sh [-w]     SRC=/path: a git tree or unpacked source as the base
# A tree that holds work is never overwritten: that is an error, or with -w,
# when there is nothing to import anyway, only a note.
. "$(dirname "$0")/lib/common.sh"

need_queue
with_work=
[ "${1:-}" != -w ] || with_work=y
new=$build/$BASE.new
tmp=

mkdir -p "$build" "$logs"
trap 'rm -rf "$new" "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d "$build/tmp.XXXXXX")

check_version() {
	case $2 in
	"$BASE".*) ;;
	'') die "$1 is not a kernel source" ;;
	*) die "$1 is Linux $2, this queue is for $BASE" ;;
	esac
}

# Puts the source of the base into $new, as it was published.
unpack() {
	rm -rf "$new"
	mkdir "$new"
	if [ -z "${SRC:-}" ]; then
		say "unpacking $(base_field package) (a minute)"
		"$top/scripts/lib/base-source.sh" "$new" || exit 1
	elif [ -e "$SRC/.git" ]; then
		say "copying HEAD of $SRC"
		git -C "$SRC" archive HEAD | tar -x -C "$new"
	else
		if [ -e "$SRC/.config" ] || [ -e "$SRC/include/config" ]; then
			die "$SRC was built in: run make mrproper there first"
		fi
		say "copying $SRC"
		tar -c -C "$SRC" . | tar -x -C "$new"
	fi
	check_version "the base" "$(kernel_version "$new")"
}

# SRC is looked at before anything is done with it.
check_src() {
	if [ -e "$SRC/.git" ]; then
		git -C "$SRC" show HEAD:Makefile >"$tmp/Makefile" || die "$SRC has no kernel in HEAD"
		check_version "$SRC" "$(kernel_version "$tmp")"
	else
		check_version "$SRC" "$(kernel_version "$SRC")"
	fi
}

# The commit of the base depends on nothing but its files, so that the same
# base and queue give the same commits everywhere.
import_base() {
	need_space "$build" 8
	unpack
	say "importing Linux $(kernel_version "$new")"
	(
		cd "$new"
		plain_git init -q -b series
		git config gc.auto 0
		git config user.name "Refusing Notifier Lab"
		git config user.email lab@example.org
		echo '/o-*' >>.git/info/exclude
		# Debian's packaging ignores all that is new: work would go unseen.
		sed -i -e '/^\/\*$/d' -e '/^!\/debian\/$/d' .gitignore
		plain_git add -f -A
		GIT_AUTHOR_DATE='@0 +0000' GIT_COMMITTER_DATE='@0 +0000' \
			plain_git commit -q -m "Linux $(kernel_version .)"
		git tag base
		echo "${SRC:-package}" >.git/lab-source
	)
	mv "$new" "$tree"
}

add_base_tree() {
	if [ ! -e "$base_tree" ]; then
		tree_git worktree prune
		tree_git worktree add -q --detach "$base_tree" base
	fi
	[ -z "$(work_in "$base_tree")$(plain_git -C "$base_tree" diff base HEAD)" ] ||
		die "$base_tree is not the untouched base: undo what was changed there"
}

[ -z "${SRC:-}" ] || check_src
for name in $(queue_names); do
	[ -f "$queue/$name" ] || die "$queue/$name is in the series but does not exist"
done
[ -e "$tree/.git" ] || import_base
source=$(cat "$tree/.git/lab-source" 2>/dev/null || echo package)
[ -z "${SRC:-}" ] || [ "$SRC" = "$source" ] ||
	die "$tree was made from: $source; for another base save your work, make clean, then make tree SRC=..."
add_base_tree

tip=$(tree_git rev-parse HEAD)
base=$(tree_git rev-parse base)
known=$(cat "$tree/.git/lab-queue" 2>/dev/null || echo "none $base $base")
work=$(work_in "$tree")
branch=$(tree_git symbolic-ref -q --short HEAD || echo none)

refuse() {
	say "$1"
	[ -z "$work" ] || echo "$work" | head -10 >&2
	exit 1
}

queue_id=$(queue_id)
if [ "$known" = "$queue_id $base $tip" ] && [ "$branch" = series ]; then
	[ -z "$work" ] && exit 0
	[ -n "$with_work" ] ||
		refuse "$tree has uncommitted work and is left alone: commit it and make refresh, or undo it"
	say "note: $tree has uncommitted work that is not in the queue"
	exit 0
fi
if [ -n "$with_work" ] && [ "${known% *}" = "$queue_id $base" ]; then
	say "note: $tree has work that is not in the queue (make refresh takes it in)"
	exit 0
fi

[ "$branch" = series ] ||
	refuse "$tree is not on its branch series (a rebase under way?): finish that first"
[ -z "$work" ] ||
	refuse "$tree has uncommitted work and is left alone: commit it and make refresh, or undo it"

# shellcheck disable=SC2046 # a list
wanted=$("$top/scripts/lib/import.sh" $(queue_names)) || die "$tree is as it was"
if [ "$wanted" != "$tip" ] && [ "${known##* }" != "$tip" ]; then
	# Not the commit of the last import or refresh: there is work here.
	if ! "$top/scripts/refresh.sh" "$tmp/queue" ||
			! diff -rq -x base -x notes -x cover-letter.md "$tmp/queue" "$queue" >/dev/null; then
		tree_git cherry -v "$wanted" "$tip" | sed -n 's/^+ /  /p' | head -20 >&2
		die "$tree has the commits above that are not in the queue, and is left alone: make refresh takes them in (or put them aside: git -C $tree branch aside && git -C $tree reset --keep ${known##* })"
	fi
	wanted=$tip
fi
if [ "$wanted" != "$tip" ]; then
	# Writes only the files that differ, so the rest is not built again.
	tree_git reset -q --keep "$wanted"
	tested=$(base_field tested)
	here=$(kernel_version "$tree")
	case $tested in
	"$here"*) ;;
	*) say "note: this is $here, the queue was last tested on ${tested:-nothing}" ;;
	esac
	say "imported $(queue_names | wc -l) patches"
fi
record_queue "$wanted"
