#!/bin/sh
# Sees to it that the base's source is there, and unpacks it if a directory is
# given. Where patches/BASE/base names a suite it is that suite's package, fetched
# by an apt with a configuration of its own: as an ordinary user, and without a
# change to the system's. It is kept in the cache: a suite goes on to other versions.
# usage: base-source.sh [DIR]
. "$(dirname "$0")/common.sh"

package=$(base_field package)
suite=$(base_field suite)
kept=$cache/source
instead="or make tree SRC=/path, a source of Linux $BASE"

trap 'rm -rf "${fetch:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# package_in DIR: its file there, if any
package_in() { find "$1" -maxdepth 1 -name "${package}_*.deb" | sort -V | tail -1; }

download() {
	fetch=$(mktemp -d "$kept/fetch.XXXXXX")
	say "fetching $package from $suite (some 170 MB)"
	"$top/scripts/lib/fetch-deb.sh" "$suite" "$(dpkg --print-architecture)" "$fetch" "$package" ||
		die "there is no source of Linux $BASE: try again, $instead"
	mv "$(package_in "$fetch")" "$kept/"
}

if [ -z "$suite" ]; then
	tarball=/usr/src/linux-source-$BASE.tar.xz
	[ -e "$tarball" ] || die "$tarball is missing: run scripts/deps.sh"
	[ $# = 0 ] || tar -xf "$tarball" -C "$1" --strip-components=1
	exit 0
fi
mkdir -p "$kept"
[ -n "$(package_in "$kept")" ] || download
[ $# = 0 ] || dpkg-deb --fsys-tarfile "$(package_in "$kept")" |
	tar -xO "./usr/src/linux-source-$BASE.tar.xz" |
	tar -xJ -C "$1" --strip-components=1
