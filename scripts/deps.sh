#!/bin/sh
# Installs the Debian packages that are missing, naming them first.
# usage: deps.sh [group...]    groups: lab (default), demo, lint, deb, debtest, foreign,
# rdma, i386, arm64
. "$(dirname "$0")/lib/common.sh"

need_queue
# A tree from SRC= needs no packaged source; that of a suite other than the
# system's is fetched, not installed (scripts/lib/base-source.sh).
source_package() {
	[ -n "${SRC:-}$(base_field suite)" ] || base_field package
}

# busybox-static is only unpacked into the cache: installing it would replace
# the busybox that the machine may have.
packages() {
	case $1 in
	lab)
		source_package
		echo build-essential flex bison bc libelf-dev libssl-dev \
			xz-utils rsync python3 ccache qemu-system-x86
		;;
	demo) echo gnuplot-nox ;;
	# coccinelle looks for libpython3.*.so, and does not depend on it; the
	# documents want yaml
	lint)
		llvm=$(llvm_suffix)
		echo sparse shellcheck perl quilt b4 "clang$llvm" "lld$llvm" "llvm$llvm" \
			coccinelle libpython3-dev python3-sphinx python3-yaml
		;;
	# for make deb, and to try its package in the VM
	deb) echo debhelper dpkg-dev cpio kmod ;;
	debtest) echo mmdebstrap e2fsprogs ;;
	foreign) echo e2fsprogs ;;
	# for scripts/lib/pyverbs-root.sh; more below
	rdma) echo mmdebstrap cpio ;;
	i386) echo gcc-i686-linux-gnu libc6-dev-i386-cross ;;
	arm64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm ;;
	*) die "no such group: $1 (lab, demo, lint, deb, debtest, foreign, rdma, i386 or arm64)" ;;
	esac
}

wanted=$(for group in "${@:-lab}"; do packages "$group"; done)

command -v dpkg-query >/dev/null ||
	die "this installs Debian packages; elsewhere, provide: $(echo "$wanted" | paste -sd" " -)"
missing=
for package in $wanted; do
	# Not for the version: only whether it is there.
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing="$missing $package"
done

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root or sudo to install:$missing"
	fi
}

# apt ARGS...: with fresh package lists if it does not work with the present.
apt() {
	apt_log=$logs/apt.log
	mkdir -p "$logs"
	apt_try "$@" && return
	say "fetching the package lists"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update >>"$apt_log" 2>&1 || :
	apt_try "$@" || die "apt-get $1 failed for:$missing ($(apt_error); see $apt_log)"
}

# What apt says first is the cause, such as a package that no source of apt's has.
apt_error() { sed -n 's/^E: //p' "$apt_log" | head -1 | grep . || echo "no network?"; }

apt_try() {
	if [ "$1" = download ]; then
		apt-get "$@" >"$apt_log" 2>&1
	else
		as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$apt_log" 2>&1
	fi
}

if [ -n "$missing" ]; then
	say "installing$missing"
	# shellcheck disable=SC2086 # a list
	apt install -y --no-install-recommends $missing
fi

# unpack DIR PACKAGE...: into $cache/DIR, what is not installed
unpack() {
	unpack_to=$cache/$1
	shift
	missing=" $*"
	say "fetching$missing into $cache (not installed)"
	mkdir -p "$cache"
	fetch=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$fetch"' EXIT
	(cd "$fetch" && apt download "$@")
	for package; do
		dpkg-deb -x "$fetch/${package}"_*.deb "$fetch/root"
	done
	mv "$fetch/root" "$unpack_to"
	rm -rf "$fetch"
}

# For the VM
if [ ! -x "$cache/busybox" ]; then
	unpack busybox.root busybox-static
	mv "$cache/busybox.root/bin/busybox" "$cache/busybox"
	rm -rf "$cache/busybox.root"
fi
# And for one of another architecture
for group; do
	case $group in i386 | arm64) ;; *) continue ;; esac
	[ ! -x "$cache/busybox-$group" ] || continue
	fetch=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$fetch"' EXIT
	say "fetching busybox-static for $group into $cache (not installed)"
	"$top/scripts/lib/fetch-deb.sh" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$group" \
		"$fetch" busybox-static
	dpkg-deb -x "$fetch"/busybox-static_*.deb "$fetch/root"
	mv "$fetch/root/bin/busybox" "$cache/busybox-$group"
	rm -rf "$fetch"
done
# Static libraries of verbs, for a program in the VM
case " $* " in
*" rdma "*)
	[ -e "$cache/rdma" ] || unpack rdma libibverbs-dev libnl-3-dev libnl-route-3-dev
	;;
esac

# The source of a base that is not unpacked yet.
[ -n "${SRC:-}" ] || [ -e "$tree/.git" ] || "$top/scripts/lib/base-source.sh"
