#!/bin/sh
# The patches as text: checkpatch, refresh, quilt, kernel-doc.
. "$(dirname "$0")/common.sh"

out=$logs/lint
mkdir -p "$out"

# Left out: Signed-off-by, which is for a person to give; MAINTAINERS, which
# has patterns for the new files; whether a commit that is named exists, which
# takes the kernel's history (GIT_DIR=none: the tree has none, do not look
# there); the only way to write a trace event; and allocators that not every base
# has.
checkpatch() {
	(cd "$tree" && GIT_DIR=none scripts/checkpatch.pl --strict --terse --show-types \
		--no-signoff --ignore FILE_PATH_CHANGES,UNKNOWN_COMMIT_ID,ALLOC_WITH_SIZEOF "$1" 2>&1) |
	while IFS= read -r line; do
		case $line in
		total:*) ;;
		*OPEN_ENDED_LINE* | *PARENTHESIS_ALIGNMENT*)
			number=${line#*.patch:}
			sed -n "${number%%:*}p" "$1" |
				grep -qE '^\+.TP_(PROTO|STRUCT__entry|fast_assign)\(' || echo "$line"
			;;
		?*) echo "$line" ;;
		esac
	done
}

for name in $(queue_names); do
	sums=$(cat "$queue/$name" "$tree/scripts/checkpatch.pl" "$0" | sha1sum)
	if ! is_cached checkpatch "$sums"; then
		said=$out/checkpatch-${name##*/}.log
		checkpatch "$queue/$name" >"$said"
		if [ -s "$said" ]; then
			not_ok "checkpatch $name"
			sed 's/^.*\.patch:/  | line /' "$said" | head -20 >&2
			continue
		fi
		remember
	fi
	ok "checkpatch $name"
done

# What a list can read in one sitting.
for name in $(queue_names); do
	lines=$(lines_of "$name")
	if [ "$lines" -le 700 ]; then
		ok "size of $name"
	else
		not_ok "size of $name: $lines lines added and removed, 700 at most"
	fi
done

# shellcheck disable=SC2046 # lists
for name in $(series_names); do
	if [ ! -f "$queue/$name/cover-letter.md" ]; then
		not_ok "series $name has a cover letter"
	elif [ -z "$(series_field "$name" Subject)" ] || [ -z "$(series_field "$name" List)" ]; then
		not_ok "series $name: its cover letter says Subject: and List:"
	elif [ "$(patches_of "$name" | wc -l)" -gt 12 ]; then
		not_ok "series $name has 12 patches at most"
	elif ! "$top/scripts/lib/import.sh" $(patches_of $(series_needs "$name") "$name") >/dev/null; then
		not_ok "series $name applies to the base and what it needs"
	else
		ok "series $name applies to the base and what it needs: $(series_needs "$name" | paste -sd' ' -)"
	fi
done

if [ "$BASE" != "$default_base" ]; then
	if "$top/lab/compare.py" "$top/patches/$default_base" "$queue" "$queue/notes" >/dev/null; then
		ok "what differs from the queue for $default_base has its reason in notes"
	else
		not_ok "what differs from the queue for $default_base has its reason in notes"
	fi
fi

rm -rf "$out/refresh"
if "$top/scripts/refresh.sh" "$out/refresh" &&
		diff -rq -x base -x notes -x cover-letter.md "$out/refresh" "$queue" >&2; then
	ok "make refresh changes nothing"
else
	not_ok "make refresh changes nothing"
fi

# quilt is less forgiving than git: no renames, no file modes.
touched=$(tree_git diff --name-only --diff-filter=MD base series)
rm -rf "$out/quilt"
mkdir "$out/quilt"
# shellcheck disable=SC2086 # a list
[ -z "$touched" ] || tree_git archive base $touched | tar -x -C "$out/quilt"
if (cd "$out/quilt" && QUILT_PATCHES=$queue QUILT_PUSH_ARGS='' \
		quilt --quiltrc /dev/null push -a --fuzz=0) >"$out/quilt.log" 2>&1; then
	ok "quilt applies the queue"
else
	not_ok "quilt applies the queue"
	tail -5 "$out/quilt.log" >&2
fi
rm -rf "$out/quilt"

# kernel-doc of every source file that is touched says nothing new.
kernel_doc() {
	tree_git show "$1:$2" >"$out/kernel-doc.${2##*.}" 2>/dev/null || return 0
	(cd "$tree" && scripts/kernel-doc -none "$out/kernel-doc.${2##*.}" 2>&1) |
		sed -E "s,^(Warning: )?[^ ]*:[0-9]+:? ,,; s, \(did you mean .*,," | sort -u
}
for file in $(tree_git diff --name-only --diff-filter=d base series -- '*.c' '*.h'); do
	kernel_doc base "$file" >"$out/kernel-doc-base.log"
	kernel_doc series "$file" >"$out/kernel-doc.log"
	if comm -13 "$out/kernel-doc-base.log" "$out/kernel-doc.log" | grep . >&2; then
		not_ok "kernel-doc $file"
	else
		ok "kernel-doc $file"
	fi
done
