#!/bin/sh
# Builds the KUnit modules of lab/drivers for the debug kernel of the series,
# with the drivers' sources of one of the trees, and prints where they are.
# usage: build-drivers.sh base|series|mutants [DRIVER...]
# SOURCES=DIR takes the sources of a tree of your own instead of the series'.
# Mutants are what scripts/mutants.sh has made of it.
. "$(dirname "$0")/common.sh"

[ $# -ge 1 ] || die "usage: build-drivers.sh base|series|mutants [DRIVER...]"
variant=$1
shift
case $variant in
mutants) from=$build/mutants/$BASE/tree ;;
*) from=$(tree_of "$variant") ;;
esac
if [ "$variant" = series ] && [ -n "${SOURCES:-}" ]; then
	from=$(cd "$SOURCES" && pwd) || die "SOURCES: there is no directory $SOURCES"
fi
objects=$tree/o-debug
out=$build/drivers/$BASE/$variant${1:+-$1}
log=$logs/drivers-$variant${1:+-$1}-build.log

[ -e "$from/Makefile" ] || die "$from is missing: run make tree"
[ -e "$objects/vmlinux" ] || die "$objects/vmlinux is missing: run scripts/build.sh series debug"

# files_of DRIVER: its files, and what this base has in place of them or alone
files_of() {
	(
		cd "$top/lab/drivers/$1"
		find . -type f | while read -r file; do
			first=${file#./}
			[ -d "$top/patches/${first%%/*}" ] || [ -e "$BASE/$first" ] || echo "$file"
		done
		[ ! -d "$BASE" ] || find "./$BASE" -type f
	)
}

# is_driver DRIVER: is it there for this base?
is_driver() {
	[ -e "$top/lab/drivers/$1/Kbuild" ] || [ -e "$top/lab/drivers/$1/$BASE/Kbuild" ]
}

[ $# -gt 0 ] || for driver in "$top/lab/drivers"/*/; do
	driver=$(basename "$driver")
	! is_driver "$driver" || set -- "$@" "$driver"
done
mkdir -p "$out" "$logs"
: >"$log"

# What is not wanted now must not be loaded.
for dir in "$out"/*/; do
	case " $* " in *" $(basename "$dir") "* | *" $(basename "$dir")/ "*) ;; *) rm -rf "$dir" ;; esac
done

# put FILE DIR: with its old time if it is the same, so that make sees no change
put() { cmp -s "$1" "$2/${1##*/}" || cp "$1" "$2/"; }

for driver; do
	driver=${driver%/}
	is_driver "$driver" || die "no such driver for Linux $BASE: $driver"
	files_of "$driver" | while read -r file; do
		to=$out/$driver/$(dirname "./${file#./"$BASE"/}")
		mkdir -p "$to"
		put "$top/lab/drivers/$driver/$file" "$to"
	done
	[ -e "$out/$driver/stubs.c" ] || : >"$out/$driver/stubs.c"
	targets="${targets:-} $driver/$driver.o"
done
for file in "$top/lab/drivers"/*.* "$top/lab/drivers/Kbuild"; do put "$file" "$out"; done

# build TARGET...: as an external module
build() {
	kmake "$tree" debug M="$out" from="$from" "$@" >>"$log" 2>&1 || {
		grep -nE 'error:|Error |ERROR|undefined' "$log" | head -10 >&2
		die "the drivers' tests do not build against $from: see $log"
	}
}

# What neither vmlinux nor the common part has is a stub. A tracepoint that is
# never on and the flags of debug messages are data.
exported=$out/exported
{
	awk '{ print $2 }' "$objects/vmlinux.symvers"
	sed -n 's/^EXPORT_SYMBOL_GPL(\(.*\));/\1/p' "$top/lab/drivers/drivers.c"
} | sort -u >"$exported"
stubs() {
	echo "/* Made by scripts/lib/build-drivers.sh */"
	echo "long drivers_stub_called(const char *name);"
	nm -u "$1" | awk '{ print $NF }' | sort -u | comm -23 - "$exported" |
	while read -r symbol; do
		case $symbol in
		__this_module | _GLOBAL_OFFSET_TABLE_ | __fentry__) ;;
		__tracepoint_* | __drm_debug | __SCK__*)
			echo "char ${symbol}[512] __attribute__((aligned(64)));"
			;;
		# Says something, if it is told to.
		__drm_dev_dbg) printf 'void %s(void);\nvoid %s(void) {}\n' "$symbol" "$symbol" ;;
		*) printf 'long %s(void);\nlong %s(void) { return drivers_stub_called("%s"); }\n' \
			"$symbol" "$symbol" "$symbol" ;;
		esac
	done
}

say "compiling the drivers and their tests ($variant)"
# shellcheck disable=SC2086 # a list
build $targets
for target in $targets; do
	dir=$out/${target%/*}
	stubs "$out/$target" >"$dir/stubs.new"
	cmp -s "$dir/stubs.new" "$dir/stubs.c" || cp "$dir/stubs.new" "$dir/stubs.c"
	rm -f "$dir/stubs.new"
done
build modules
echo "$out"
