#!/bin/sh
# Makes a root file system for the VM of a Debian suite's python3-pyverbs, with the tests of
# rdma-core that are in that package: $cache/pyverbs/SUITE.cpio, in it debian/SUITE.
# Nothing is installed, and any user can.
# usage: pyverbs-root.sh SUITE
# MIRROR=URL    where the packages come from
. "$(dirname "$0")/common.sh"

[ $# = 1 ] || die "usage: pyverbs-root.sh SUITE"
made=$cache/pyverbs/$1.cpio
log=$logs/pyverbs-$1.log
[ ! -e "$made" ] || exit 0
for tool in mmdebstrap cpio; do
	command -v "$tool" >/dev/null || die "$tool is missing: run scripts/deps.sh lab rdma"
done
mkdir -p "$cache/pyverbs" "$logs"
work=$(mktemp -d "$cache/pyverbs/make.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
root=$work/debian/$1
mkdir "$work/debian"

say "fetching python3-pyverbs of $1 and what it needs (a minute, not installed)"
# As the system's apt takes it: the mirror may be a snapshot, where lists expire.
expires=$(apt-config dump Acquire::Check-Valid-Until)
mmdebstrap --mode=chrootless --variant=extract --include=python3-pyverbs,iproute2 \
	${expires:+--aptopt="$expires"} "$1" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$log" 2>&1 ||
	die "no python3-pyverbs of $1 (no network? see $log): try again"
mv "$root/usr/share/doc/rdma-core/tests" "$root/tests" || die "python3-pyverbs of $1 has no tests"
gunzip "$root"/tests/*.gz
# libibverbs.so.1.14.44.0 is of rdma-core 44.0
set -- "$1" "$root"/usr/lib/*/libibverbs.so.1.*.*
[ $# = 2 ] || die "python3-pyverbs of $1 has not one libibverbs"
echo "${2##*.so.1.}" | cut -d. -f2- >"$root/version"

# What nobody opens there
(
	cd "$root"
	rm -rf usr/share var etc/udev lib/udev usr/lib/udev usr/lib/systemd usr/lib/*/perl* usr/lib/*/gconv
)
for dir in bin sbin lib lib64; do
	[ -e "$root/$dir" ] || ln -s "usr/$dir" "$root/$dir"
done
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
(cd "$work" && find debian | LC_ALL=C sort | cpio --quiet -o -H newc --owner=0:0) >"$work/cpio"
mv "$work/cpio" "$made"
