#!/bin/sh
# get_maintainer.pl finds the list of the series for every file that the queue adds.
. "$(dirname "$0")/common.sh"

[ -e "$tree/.git" ] || die "$tree is missing: run make tree"

# added_by SERIES: the files that its patches create
added_by() {
	# shellcheck disable=SC2046 # a list
	(cd "$queue" && sed -n '/^new file mode/,/^+++ /s,^+++ b/,,p' $(patches_of "$1"))
}

for series in $(series_names); do
	list=$(series_field "$series" List)
	list=${list%% *}
	for file in $(added_by "$series"); do
		if [ ! -e "$tree/$file" ]; then
			not_ok "get_maintainer.pl $file: $tree does not have it: run make tree"
			continue
		fi
		if ! is_cached maintainers "$file" "$list" "$(sha1sum <"$tree/MAINTAINERS")"; then
			if ! (cd "$tree" && scripts/get_maintainer.pl --no-git --no-git-fallback \
					--no-m --no-r --no-rolestats -f "$file") | grep -qxF "$list"; then
				not_ok "get_maintainer.pl $file: $list"
				echo "  | add F: $file to the section of MAINTAINERS that has $list" >&2
				continue
			fi
			remember
		fi
		ok "get_maintainer.pl $file: $list"
	done
done
