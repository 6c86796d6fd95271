#!/bin/sh
# Configures and builds one kernel and the test device's module.
# usage: build.sh base|series|scratch CONFIG
# CONFIG names a fragment in config/; all but vm come on top of vm and drivers, and
# each with that of config/BASE. debug-VARIANT: debug with config/variant/VARIANT.
. "$(dirname "$0")/lib/common.sh"

[ $# = 2 ] || die "usage: build.sh base|series|scratch CONFIG"
which=$1 config=$2
src=$(tree_of "$which")
out=$src/o-$config
log=$logs/build-$which-$config.log

[ -e "$src/Makefile" ] || die "$src is missing: run make tree"
case $config in
debug-*) names="debug variant/${config#debug-}" ;;
*) names=$config ;;
esac
[ -e "$top/config/${names#* }.config" ] ||
	die "no such config: $config (there is: $(cd "$top/config" && echo *.config variant/*.config))"
command -v ccache >/dev/null || die "ccache is missing: run scripts/deps.sh"
need_space "$src" 3
mkdir -p "$out" "$logs" "$cache"
exec 8>"$out/lab.lock"
flock -n 8 || { say "waiting for another build in $out"; flock 8; }

case $config in
vm) fragments=$(fragments vm) ;;
# That of x86-64 is of no use there
debug-arm64) fragments="$top/lab/um.config $(fragments "variant/arm64")" ;;
debug-64k) fragments="$top/lab/um.config $(fragments variant/arm64 variant/64k)" ;;
*)
	# shellcheck disable=SC2086 # a list
	fragments=$(fragments vm drivers $names)
	;;
esac

# A fragment that changed, or any of the tree's Kconfig files.
config_is_current() {
	[ -e "$out/.config" ] && [ -e "$out/lab.config" ] || return 1
	# shellcheck disable=SC2086 # a list
	cat $fragments | cmp -s - "$out/lab.config" || return 1
	[ -z "$(find "$src" -name 'o-*' -prune -o -name 'Kconfig*' -newer "$out/lab.config" -print)" ]
}

# Every symbol that a fragment asks for is set, unless the tree has no such
# symbol: the series' own ones are unknown to the base.
check_config() {
	# shellcheck disable=SC2086 # a list
	cat $fragments | sed -n 's/^\(CONFIG_[A-Z0-9_a-z]*\)=\([^n].*\)/\1 \2/p' |
	while read -r symbol value; do
		# The last fragment to name it decides.
		# shellcheck disable=SC2086 # a list
		[ "$(cat $fragments | grep -E "^(# )?$symbol(=| is)" | tail -1)" = "$symbol=$value" ] ||
			continue
		grep -qxF "$symbol=$value" "$out/.config" && continue
		if grep -rqE --include='Kconfig*' "^(menu)?config ${symbol#CONFIG_}\$" "$src"; then
			echo "$symbol=$value"
		elif [ "$which" = series ]; then
			say "note: the patched tree does not know $symbol"
		fi
	done
}

configure() {
	say "configuring $which ($config)"
	# shellcheck disable=SC2086 # a list
	cat $fragments >"$out/lab.config.new"
	kmake "$src" "$config" KCONFIG_ALLCONFIG="$out/lab.config.new" allnoconfig \
		>"$log" 2>&1 || { tail -5 "$log" >&2; die "the configuration failed: see $log"; }
	lost=$(check_config)
	# shellcheck disable=SC2086 # on one line
	[ -z "$lost" ] || die "not set in $out/.config, dependencies missing?" $lost
	mv "$out/lab.config.new" "$out/lab.config"
	touch "$out/lab.config"
}

# How far it is: one line rewritten on a terminal, else a line every 15 s.
# How many objects there are is known when they were built once.
# An interrupted build or a full disk may have left less than a number.
count=$cache/objects-$BASE-$config
all_objects=$(grep -x '[1-9][0-9]*' "$count" 2>/dev/null || echo 1300)
first=
[ -e "$out/vmlinux" ] || first=y
started=$(date +%s)
shown=$started
show_progress() {
	now=$(date +%s)
	took=$((now - started))
	[ -t 2 ] || [ $((now - shown)) -ge 15 ] || return 0
	shown=$now
	objects=$(grep -cE '^  (CC|AS) ' "$log" || :)
	text="$objects objects"
	if [ -n "$first" ]; then
		percent=$((objects * 100 / all_objects))
		[ $percent -lt 99 ] || percent=99
		text="$percent % ($text)"
	fi
	text=$(printf '%s kernel (%s): %s, %d:%02d' "$which" "$config" "$text" \
		$((took / 60)) $((took % 60)))
	if [ -t 2 ]; then
		printf '\r%s\033[K' "$text" >&2
	else
		echo "$text" >&2
	fi
}

config_is_current || configure

# In the background so that a signal is acted on at once; make ends its own.
"$top/scripts/lib/kbuild.sh" "$src" "$config" "${image##*/}" modules_prepare >"$log" 2>&1 &
make=$!
trap 'kill $make 2>/dev/null; wait $make; exit 130' INT
trap 'kill $make 2>/dev/null; wait $make; exit 143' TERM HUP
while kill -0 $make 2>/dev/null; do
	show_progress
	sleep 0.5
done
[ ! -t 2 ] || printf '\r\033[K' >&2
if ! wait $make; then
	grep -nE 'error:|Error |undefined|warning:|not clean' "$log" | head -10 >&2 || tail -10 "$log" >&2
	die "the $which kernel ($config) does not build: see $log"
fi
trap - INT TERM HUP
[ -z "$first" ] || { grep -cE '^  (CC|AS) ' "$log" >"$count.$$" && mv "$count.$$" "$count"; } ||
	rm -f "$count.$$"

# The test device is the same source for both kernels, built as an external
# module. The symbols it may use are vmlinux's; no other module is built.
device=$out/test-device
from=$src/lib
[ -e "$from/test_mmu_notifier.c" ] || from=$tree/lib
if [ -e "$from/test_mmu_notifier.c" ]; then
	mkdir -p "$device"
	echo 'obj-m += test_mmu_notifier.o' >"$device/Kbuild"
	for file in "$from"/test_mmu_notifier*.[ch]; do
		cmp -s "$file" "$device/${file##*/}" || cp "$file" "$device/"
	done
	cmp -s "$out/vmlinux.symvers" "$out/Module.symvers" ||
		cp "$out/vmlinux.symvers" "$out/Module.symvers"
	kmake "$src" "$config" M="$device" modules >"$log.device" 2>&1 || {
		grep -E 'error|ERROR' "$log.device" | head -10 >&2
		die "the test device does not build against $which: see $log.device"
	}
fi
