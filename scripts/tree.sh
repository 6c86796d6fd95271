#!/bin/sh
# Makes build/BASE: the base as a git repository (tag base), the queue on top
# of it, one commit a patch (branch series); and build/BASE-base beside it.
# usage: tree.sh [-w]     SRC=/path: a git tree or unpacked source as the base
# A tree that holds work is never overwritten: that is an error, or with -w,
# when there is nothing to import anyway, only a note.
. "$(dirname "$0")/lib.sh"

need_queue
with_work=
[ "${1:-}" != -w ] || with_work=y
tarball=/usr/src/linux-source-$BASE.tar.xz
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
		[ -e "$tarball" ] || die "$tarball is missing: run scripts/deps.sh"
		say "unpacking $tarball (a minute)"
		tar -xf "$tarball" -C "$new" --strip-components=1
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

# The first hunk of patch $1 that git's complaint in file $2 is about.
failed_hunk() {
	where=$(sed -n 's/^error: patch failed: //p' "$2" | head -1)
	file=${where%:*}
	if [ -z "$where" ]; then
		sed -n 's/^error: //p' "$2" | head -1
	else
		awk -v file="$file" -v line="${where##*:}" '
			/^--- / { here = ($2 == "a/" file) }
			here && /^@@ / { n++; split($2, old, /[-,]/)
				if (old[2] == line) { print file ", hunk " n ": " $0; exit }
			}
			/^diff / { n = 0 }' "$1"
	fi
}

# Commits the queue on top of the base in a scratch index: neither the tree
# nor its branch is touched. Prints the last commit.
import_queue() {
	export GIT_INDEX_FILE="$tmp/index"
	tree_git read-tree base
	last=$(tree_git rev-parse base)
	for name in $(queue_names); do
		patch=$queue/$name
		plain_git mailinfo -b --no-scissors --encoding=UTF-8 "$tmp/message" "$tmp/diff" \
			<"$patch" >"$tmp/info" 2>/dev/null || die "$patch is not a mail"
		if ! tree_git apply --cached --whitespace=nowarn "$tmp/diff" 2>"$tmp/error"; then
			cat "$tmp/error" >"$logs/tree.log"
			die "$name does not apply: $(failed_hunk "$tmp/diff" "$tmp/error") ($tree is as it was)"
		fi
		field() { sed -n "s/^$1: //p" "$tmp/info"; }
		{
			field Subject
			echo
			cat "$tmp/message"
		} | plain_git stripspace >"$tmp/text"
		GIT_AUTHOR_NAME=$(field Author) GIT_AUTHOR_EMAIL=$(field Email)
		GIT_AUTHOR_DATE=$(field Date)
		GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
		GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
		export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
		export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
		last=$(tree_git commit-tree -p "$last" -F "$tmp/text" "$(tree_git write-tree)")
	done
	echo "$last"
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

wanted=$(import_queue)
if [ "$wanted" != "$tip" ] && [ "${known##* }" != "$tip" ]; then
	# Not the commit of the last import or refresh: somebody worked here.
	if ! "$top/scripts/refresh.sh" "$tmp/queue" ||
			! (cd "$tmp/queue" && for name in series *.patch; do
				cmp -s "$name" "$queue/$name" || exit 1; done) ||
			! cmp -s "$tmp/queue/series" "$queue/series"; then
		tree_git cherry -v "$wanted" "$tip" | sed -n 's/^+ /  /p' | head -20 >&2
		die "$tree has the commits above that are not in the queue, and is left alone: make refresh takes them in (or put them aside: git -C $tree branch aside && git -C $tree reset --keep ${known##* })"
	fi
	wanted=$tip
fi
if [ "$wanted" != "$tip" ]; then
	# Writes only the files that differ, so the rest is not built again.
	tree_git reset -q --keep "$wanted"
	tested=$(sed -n 's/^tested //p' "$queue/base" 2>/dev/null)
	here=$(kernel_version "$tree")
	case $tested in
	"$here"*) ;;
	*) say "note: this is $here, the queue was last tested on ${tested:-nothing}" ;;
	esac
	say "imported $(queue_names | wc -l) patches"
fi
record_queue "$wanted"
