#!/bin/sh
# Fetches Debian packages into a directory, of a suite or an architecture that may be
# other than the system's: by an apt with a configuration of its own, as an ordinary
# user, and without a change to the system's.
# usage: fetch-deb.sh SUITE ARCHITECTURE DIR PACKAGE...
. "$(dirname "$0")/common.sh"

[ $# -ge 4 ] || die "usage: fetch-deb.sh SUITE ARCHITECTURE DIR PACKAGE..."
suite=$1 architecture=$2 dir=$3
shift 3
apt=$cache/apt-$suite-$architecture
log=$logs/apt-$suite-$architecture.log
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror that the system uses for Debian, if there is one.
mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 2>/dev/null |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

command -v apt-get >/dev/null || die "there is no apt-get here: use Debian"
[ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
mkdir -p "$logs" "$apt/lists/partial" "$apt/archives/partial" "$dir"
uri=$(mirror)
echo "deb [signed-by=$keyring] ${uri:-http://deb.debian.org/debian} $suite main" \
	>"$apt/sources.list"
cat >"$apt/apt.conf" <<-EOF
	APT::Architecture "$architecture";
	APT::Architectures "$architecture";
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
(
	cd "$dir"
	export APT_CONFIG="$apt/apt.conf"
	apt-get update && apt-get download "$@"
) >"$log" 2>&1 ||
	die "no $* from $suite for $architecture (no network, or the suite has gone on? see $log): try again"
