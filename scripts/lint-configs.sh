#!/bin/sh
# What is not run still has to compile: the objects that the series touches, in
# the configurations of config/compile, without a warning.
. "$(dirname "$0")/lib.sh"

out=$logs/lint
mkdir -p "$out"
scratch=

# objects CONFIG: the touched files of mm/, the tests where they are configured.
objects() {
	for file in $(tree_git diff --name-only --diff-filter=d base series -- 'mm/*.c'); do
		case $file in
		mm/tests/*) grep -q '^CONFIG_MMU_NOTIFIER_KUNIT_TEST=y' "$1" || continue ;;
		mm/mmu_notifier.c) grep -q '^CONFIG_MMU_NOTIFIER=y' "$1" || continue ;;
		esac
		echo "${file%.c}.o"
	done
}

# Every line of the fragment came out as it says.
as_asked() {
	while read -r line; do
		case $line in
		CONFIG_*=y) grep -qx "$line" "$2" ;;
		'# CONFIG_'*' is not set')
			symbol=${line#\# }
			! grep -q "^${symbol%% *}=" "$2"
			;;
		*) continue ;;
		esac || { echo "the configuration does not have: $line" >&2; return 1; }
	done <"$1"
}

# compile NAME [MAKE-ARGUMENT...]
# shellcheck disable=SC2046 # lists
compile() {
	name=$1
	shift
	fragment=$top/config/compile/$name.config
	objdir=$scratch/o-compile-$name
	mkdir -p "$objdir"
	cat "$top/config/vm.config" "$fragment" >"$objdir/lab.config"
	kmake "$scratch" "compile-$name" "$@" KCONFIG_ALLCONFIG="$objdir/lab.config" allnoconfig &&
		as_asked "$fragment" "$objdir/.config" &&
		kmake "$scratch" "compile-$name" "$@" prepare &&
		kmake "$scratch" "compile-$name" "$@" $(objects "$objdir/.config")
}

for fragment in "$top"/config/compile/*.config; do
	name=$(basename "$fragment" .config)
	case $name in
	i386) set -- ARCH=i386 ;;
	clang) set -- CC="ccache clang" HOSTCC=gcc ;;
	*) set -- ;;
	esac
	if ! is_cached compile "$(cat "$top/config/vm.config" "$fragment" "$0" | sha1sum)" \
			"$(tree_git rev-parse 'series^{tree}')" "$(gcc --version | head -1)"; then
		if [ -z "$scratch" ]; then
			scratch_tree
			plain_git -C "$scratch" checkout -q --detach series
		fi
		if ! compile "$name" "$@" >"$out/compile-$name.log" 2>&1 ||
				grep -E '^(\.\./)?(mm|include)/.*warning: ' "$out/compile-$name.log" >&2; then
			not_ok "compiles: $name (see $out/compile-$name.log)"
			continue
		fi
		remember
	fi
	ok "compiles: $name ($(sed -n '1s/^# *//p' "$fragment"))"
done
