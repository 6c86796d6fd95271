#!/bin/sh
# Commits patches of the queue on top of the base, in a scratch index: neither the
# tree nor its branch is touched. Prints the last commit. The same patches give
# the same commits everywhere.
# usage: import.sh SERIES/SLUG.patch...
. "$(dirname "$0")/common.sh"

[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
mkdir -p "$logs"
trap 'rm -rf "${tmp:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d "$build/tmp.XXXXXX")

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

field() { sed -n "s/^$1: //p" "$tmp/info"; }

export GIT_INDEX_FILE="$tmp/index"
tree_git read-tree base
last=$(tree_git rev-parse base)
for name; do
	patch=$queue/$name
	plain_git mailinfo -b --no-scissors --encoding=UTF-8 "$tmp/message" "$tmp/diff" \
		<"$patch" >"$tmp/info" 2>/dev/null || die "$patch is not a mail"
	if ! tree_git apply --cached --whitespace=nowarn "$tmp/diff" 2>"$tmp/error"; then
		cat "$tmp/error" >"$logs/import.log"
		die "$name does not apply: $(failed_hunk "$tmp/diff" "$tmp/error")"
	fi
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
