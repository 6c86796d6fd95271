#!/bin/sh
# Makes an initramfs: busybox, lab/guest/init, the test device, and FILES.
# usage: initramfs.sh base|series|scratch|DIR CONFIG OUT [FILE...]
# DIR is an object directory, with its whole path.
# A FILE named lab-run becomes the command that init runs, *.ko goes to
# /lib/lab (init loads the test device from there), all else into /bin.
. "$(dirname "$0")/common.sh"

[ $# -ge 3 ] || die "usage: initramfs.sh base|series|scratch|DIR CONFIG OUT [FILE...]"
which=$1 config=$2 out=$3
shift 3
case $which in
/*) objects=$which ;;
*) objects=$(tree_of "$which")/o-$config ;;
esac
pack=$objects/usr/gen_init_cpio
device=$objects/test-device/test_mmu_notifier.ko

[ -x "$pack" ] || die "$pack is missing: run scripts/build.sh $which $config"
busybox=$cache/busybox
[ -z "$foreign" ] || busybox=$busybox-$foreign
[ -x "$busybox" ] || die "$busybox is missing: run scripts/deps.sh $foreign"
[ ! -e "$device" ] || set -- "$device" "$@"

list() {
	for dir in bin dev lib lib/lab proc sys tmp root; do
		echo "dir /$dir 755 0 0"
	done
	# init's console, before anything is mounted
	echo "nod /dev/console 600 0 0 c 5 1"
	echo "file /bin/busybox $busybox 755 0 0"
	echo "slink /bin/sh busybox 777 0 0"
	echo "file /init $top/lab/guest/init 755 0 0"
	for file; do
		[ -f "$file" ] || die "no such file: $file"
		case $file in
		*.ko) echo "file /lib/lab/${file##*/} $file 644 0 0" ;;
		*/lab-run | lab-run) echo "file /lab-run $file 755 0 0" ;;
		*) echo "file /bin/${file##*/} $file 755 0 0" ;;
		esac
	done
}

mkdir -p "$(dirname "$out")"
list "$@" >"$out.list"
"$pack" -t 0 "$out.list" >"$out.new" || die "cannot make $out from $out.list"
rm -f "$out.list"
mv "$out.new" "$out"
