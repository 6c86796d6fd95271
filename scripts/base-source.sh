#!/bin/sh
# Sees to it that the base's source is there, and unpacks it if a directory is
# given. Where patches/BASE/base names a suite it is that suite's package, fetched
# by an apt with a configuration of its own: as an ordinary user, and without a
# change to the system's. It is kept in the cache: a suite goes on to other versions.
# usage: base-source.sh [DIR]
. "$(dirname "$0")/lib.sh"

package=$(base_field package)
suite=$(base_field suite)
kept=$cache/source
apt=$cache/apt-$suite
log=$logs/apt-$suite.log
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
instead="or make tree SRC=/path, a source of Linux $BASE"

trap 'rm -rf "${fetch:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# package_in DIR: its file there, if any
package_in() { find "$1" -maxdepth 1 -name "${package}_*.deb" | sort -V | tail -1; }

# The mirror that the system uses for Debian, if there is one.
mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 2>/dev/null |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

download() {
	command -v apt-get >/dev/null || die "there is no apt-get here: use Debian, $instead"
	[ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring, $instead"
	mkdir -p "$logs" "$apt/lists/partial" "$apt/archives/partial"
	fetch=$(mktemp -d "$kept/fetch.XXXXXX")
	uri=$(mirror)
	echo "deb [signed-by=$keyring] ${uri:-http://deb.debian.org/debian} $suite main" \
		>"$apt/sources.list"
	cat >"$apt/apt.conf" <<-EOF
		Dir::Etc::SourceList "$apt/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State::Lists "$apt/lists";
		Dir::State::Status "/dev/null";
		Dir::Cache "$apt";
		APT::Sandbox::User "";
		Acquire::Languages "none";
	EOF
	say "fetching $package from $suite (some 170 MB)"
	(
		cd "$fetch"
		export APT_CONFIG="$apt/apt.conf"
		apt-get update && apt-get download "$package"
	) >"$log" 2>&1 ||
		die "no $package from $suite (no network, or the suite has gone on? see $log): try again, $instead"
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
