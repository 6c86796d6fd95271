#!/bin/sh
# Unpacks Debian's static libraries of verbs, for a program in the VM, into the
# cache. They are not installed. Prints where they are.
# usage: rdma-libs.sh
. "$(dirname "$0")/lib.sh"

dir=$cache/rdma
packages="libibverbs-dev libnl-3-dev libnl-route-3-dev"

if [ ! -e "$dir" ]; then
	say "fetching $packages into $cache (not installed)"
	mkdir -p "$cache" "$logs"
	fetch=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$fetch"' EXIT
	# shellcheck disable=SC2086 # a list
	(cd "$fetch" && apt-get download $packages) >"$logs/apt.log" 2>&1 ||
		die "apt-get download failed for: $packages (no network? see $logs/apt.log)"
	for package in $packages; do
		dpkg-deb -x "$fetch/${package}"_*.deb "$fetch/root"
	done
	mv "$fetch/root" "$dir"
fi
echo "$dir"
