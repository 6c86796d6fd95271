#!/bin/sh
# Prints the commits of one series, in order, on top of the base and of the series
# that it needs.
# usage: series-commits.sh SERIES
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: series-commits.sh SERIES"
[ -n "$(patches_of "$1")" ] || die "no such series: $1 (there is: $(series_names | paste -sd' ' -))"
# shellcheck disable=SC2046 # a list
needed=$(patches_of $(series_needs "$1"))
# shellcheck disable=SC2086 # lists
from=$("$top/scripts/lib/import.sh" $needed) || exit 1
# shellcheck disable=SC2046,SC2086 # lists
to=$("$top/scripts/lib/import.sh" $needed $(patches_of "$1")) || exit 1
tree_git rev-list --reverse "$from..$to"
