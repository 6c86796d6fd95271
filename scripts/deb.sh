#!/bin/sh
# Builds Debian packages of the patched kernel, linux-image-*-notifiers and its
# headers, into build/deb/BASE.
# usage: deb.sh [running|FILE]     whose configuration; default: the running kernel's
# What is new since that configuration takes its default. Without debugging
# information: it would be a package of a gigabyte.
. "$(dirname "$0")/lib/common.sh"

# Or a git tree adds "+" to the release
export LOCALVERSION=

from=${1:-running}
objects=$tree/o-deb/build
out=$build/deb/$BASE
log=$logs/deb.log

[ -e "$tree/Makefile" ] || die "$tree is missing: run make tree"
command -v dh_listpackages >/dev/null || die "debhelper is missing: run scripts/deps.sh lab deb"
mkdir -p "$objects" "$out" "$logs"
exec 8>"$tree/o-deb/lab.lock"
flock -n 8 || die "another make deb is at work in $objects"

case $from in
running)
	if [ -r "/boot/config-$(uname -r)" ]; then
		cp "/boot/config-$(uname -r)" "$objects/.config"
	elif [ -r /proc/config.gz ]; then
		gunzip -c /proc/config.gz >"$objects/.config"
	else
		die "the running kernel's configuration is neither in /boot nor in /proc: CONFIG=FILE"
	fi
	;;
*)
	[ -f "$from" ] || die "$from does not exist"
	cp "$from" "$objects/.config"
	;;
esac
modules=$(grep -c '=m$' "$objects/.config" || :)
say "configuration: $from, $modules modules"
# What a distribution's configuration comes to was estimated, not measured.
if [ "$modules" -gt 500 ]; then need_space "$tree" 25; else need_space "$tree" 4; fi

# Debian's configuration names keys that only its own builds have.
"$tree/scripts/config" --file "$objects/.config" --set-str LOCALVERSION -notifiers \
	--disable LOCALVERSION_AUTO --set-str SYSTEM_TRUSTED_KEYS "" \
	--set-str SYSTEM_REVOCATION_KEYS "" --set-str BUILD_SALT "" \
	--disable DEBUG_INFO_BTF --disable DEBUG_INFO_DWARF4 --disable DEBUG_INFO_DWARF5 \
	--disable DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT --enable DEBUG_INFO_NONE
kmake "$tree" deb/build olddefconfig >"$log" 2>&1 ||
	{ tail -5 "$log" >&2; die "the configuration failed: see $log"; }
for symbol in CONFIG_MMU=y 'CONFIG_LOCALVERSION="-notifiers"'; do
	grep -qxF "$symbol" "$objects/.config" || die "$symbol is not set in $objects/.config"
done
grep -qx CONFIG_MMU_NOTIFIER=y "$objects/.config" ||
	say "note: nothing in this configuration uses MMU notifiers"

# The packages come to lie beside the object directory.
rm -f "$tree"/o-deb/*.deb
say "building (a distribution's configuration takes hours), log: $log"
DEB_BUILD_PROFILES=pkg.linux-upstream.nokerneldbg KDEB_CHANGELOG_DIST=unstable \
	DEBEMAIL=lab@example.org DEBFULLNAME="Refusing Notifier Lab" \
	kmake "$tree" deb/build bindeb-pkg >>"$log" 2>&1 || {
	grep -nE 'error:|Error |undefined|dpkg-.*: ' "$log" | head -10 >&2
	die "the packages do not build: see $log"
}
release=$(cat "$objects/include/config/kernel.release")
case $release in
*-notifiers) ;;
*) die "the kernel calls itself $release, without -notifiers" ;;
esac
rm -f "$out"/*.deb
mv "$tree/o-deb/linux-image-$release"_*.deb "$out/" || die "no linux-image-$release was built: see $log"
mv "$tree/o-deb/linux-headers-$release"_*.deb "$out/" 2>/dev/null ||
	say "note: no linux-headers-$release was built"
rm -f "$tree"/o-deb/linux-libc-dev_*.deb
say "install with: apt install ./${out#"$top/"}/linux-image-${release}_*.deb"
ls "$out"
