#!/bin/sh
# Installs the package of make deb in a Debian root file system and boots that in a
# VM, with the kernel and the initramfs that the installation has made: it comes up,
# and oom_notifier_run passes there. Prints lines "ok ..." or "not ok ...".
# usage: test-deb.sh       as root; make test-deb installs what it takes
# MIRROR=URL    where the root file system's packages come from
. "$(dirname "$0")/lib/common.sh"

out=$build/deb/$BASE/test
console=$logs/test-deb.console
image=$out/root.ext4
[ "$(id -u)" = 0 ] || die "only root can make a root file system"
for tool in mmdebstrap mkfs.ext4 dh_listpackages; do
	command -v "$tool" >/dev/null || die "$tool is missing: run scripts/deps.sh lab deb debtest"
done
rm -rf "$out"
mkdir -p "$out/bin" "$logs"
need_space "$out" 6

# A small configuration: that of the VM, and a disk.
# shellcheck disable=SC2046 # a list
cat $(fragments vm deb) >"$out/fragments"
mkdir -p "$tree/o-deb-config"
kmake "$tree" deb-config KCONFIG_ALLCONFIG="$out/fragments" allnoconfig >"$out/config.log" 2>&1 ||
	die "the configuration failed: see $out/config.log"
cp "$tree/o-deb-config/.config" "$out/config"
for symbol in VIRTIO_BLK EXT4_FS BLK_DEV_INITRD DEVTMPFS; do
	grep -qx "CONFIG_$symbol=y" "$out/config" || die "CONFIG_$symbol is not set, see $out/config"
done
if ! "$top/scripts/deb.sh" "$out/config" >"$out/packages"; then
	not_ok "deb: the packages build (see $logs/deb.log)"
	exit 0
fi
set -- "$build/deb/$BASE"/linux-image-*-notifiers_*.deb
if [ $# != 1 ] || [ ! -f "$1" ]; then
	die "there is not one linux-image in $build/deb/$BASE"
fi
package=$1
ok "deb: the packages build"

installed=$("$top/scripts/lib/selftests.sh" "$tree")
cp "$installed/mm/oom_notifier_run" "$out/bin/"
gcc -O2 -Wall -static -pthread -I "$tree" -o "$out/bin/example-victim" \
	"$top/lab/guest/victims/example-victim.c" || die "what runs in the VM does not build"
cp "$top/lab/guest/run/run-deb" "$out/bin/"

say "making a Debian root file system (some minutes)"
# shellcheck disable=SC2016 # $1 is the hook's, not ours
if mmdebstrap --mode=root --variant=minbase --include=initramfs-tools,kmod \
		--customize-hook="upload '$package' /tmp/image.deb" \
		--customize-hook='chroot "$1" dpkg -i /tmp/image.deb' \
		--customize-hook="copy-in '$out/bin/oom_notifier_run' '$out/bin/example-victim' '$out/bin/run-deb' /usr/local/bin" \
		bookworm "$out/root" ${MIRROR:+"$MIRROR"} >"$out/root.log" 2>&1; then
	ok "deb: the package is installed"
else
	not_ok "deb: the package is installed (see $out/root.log)"
	exit 0
fi
set -- "$out"/root/boot/vmlinuz-*-notifiers "$out"/root/boot/initrd.img-*-notifiers
if [ $# = 2 ] && [ -f "$1" ] && [ -f "$2" ]; then
	ok "deb: the installation has made an initramfs"
else
	not_ok "deb: the installation has made an initramfs (see $out/root.log)"
	exit 0
fi
cp "$1" "$out/vmlinuz"
cp "$2" "$out/initrd"
release=${1##*/vmlinuz-}
truncate -s 2G "$image"
mkfs.ext4 -q -F -d "$out/root" "$image" || die "cannot make $image"
rm -rf "${out:?}/root"

if "$top/scripts/lib/boot.sh" -t 600 \
		-a "root=/dev/vda rw init=/usr/local/bin/run-deb printk.devkmsg=on log_buf_len=4M" \
		-q "-drive file=$image,if=virtio,format=raw" \
		"$out/vmlinuz" "$out/initrd" "$console"; then
	ok "deb: the VM boots and ends"
else
	not_ok "deb: the VM boots and ends (see $console)"
fi

# said LINE TEXT
said() {
	if tr -d '\r' <"$console" | grep -qE "LAB: $1\$"; then
		ok "deb: $2"
	else
		not_ok "deb: $2 (see $console)"
	fi
}
said "release $release" "the kernel is $release"
said "distribution Debian GNU/Linux 12 .*" "the root file system is Debian's"
said "package linux-image-$release installed" "it is the package's kernel"
said "exit 0" "oom_notifier_run passes"
python3 "$top/lab/report" selftests "$console" | sed 's/ selftests: / deb: /'
if "$top/scripts/lib/check-console.sh" "$console"; then
	ok "deb: nothing bad on the console"
else
	not_ok "deb: nothing bad on the console (see $console)"
fi
