#!/bin/sh
# Builds the KUnit modules of lab/drivers for the debug kernel of the series,
# with the drivers' sources of one of the trees, and prints where they are.
# usage: build-users.sh base|series|mutants [USER...]
# SOURCES=DIR takes the sources of a tree of your own instead of the series'.
# Mutants are what scripts/mutants.sh has made of it.
. "$(dirname "$0")/common.sh"

[ $# -ge 1 ] || die "usage: build-users.sh base|series|mutants [USER...]"
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
out=$build/users/$BASE/$variant${1:+-$1}
log=$logs/users-$variant${1:+-$1}-build.log

[ -e "$from/Makefile" ] || die "$from is missing: run make tree"
[ -e "$objects/vmlinux" ] || die "$objects/vmlinux is missing: run scripts/build.sh series debug"

# files_of USER: its files, and what this base has in place of them or alone
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

# is_user USER: is it there for this base?
is_user() {
	[ -e "$top/lab/drivers/$1/Kbuild" ] || [ -e "$top/lab/drivers/$1/$BASE/Kbuild" ]
}

[ $# -gt 0 ] || for user in "$top/lab/drivers"/*/; do
	user=$(basename "$user")
	! is_user "$user" || set -- "$@" "$user"
done
mkdir -p "$out" "$logs"
: >"$log"

# What is not wanted now must not be loaded.
for dir in "$out"/*/; do
	case " $* " in *" $(basename "$dir") "* | *" $(basename "$dir")/ "*) ;; *) rm -rf "$dir" ;; esac
done

# put FILE DIR: with its old time if it is the same, so that make sees no change
put() { cmp -s "$1" "$2/${1##*/}" || cp "$1" "$2/"; }

for user; do
	user=${user%/}
	is_user "$user" || die "no such user for Linux $BASE: $user"
	files_of "$user" | while read -r file; do
		to=$out/$user/$(dirname "./${file#./"$BASE"/}")
		mkdir -p "$to"
		put "$top/lab/drivers/$user/$file" "$to"
	done
	[ -e "$out/$user/stubs.c" ] || : >"$out/$user/stubs.c"
	targets="${targets:-} $user/$user.o"
done
for file in "$top/lab/drivers"/*.* "$top/lab/drivers/Kbuild"; do put "$file" "$out"; done

# build TARGET...: as an external module
build() {
	kmake "$tree" debug M="$out" from="$from" "$@" >>"$log" 2>&1 || {
		grep -nE 'error:|Error |ERROR|undefined' "$log" | head -10 >&2
		die "the tests of the users do not build against $from: see $log"
	}
}

# What neither vmlinux nor the common part has is a stub. A tracepoint that is
# never on and the flags of debug messages are data.
exported=$out/exported
{
	awk '{ print $2 }' "$objects/vmlinux.symvers"
	sed -n 's/^EXPORT_SYMBOL_GPL(\(.*\));/\1/p' "$top/lab/drivers/users.c"
} | sort -u >"$exported"
stubs() {
	echo "/* Made by scripts/lib/build-users.sh */"
	echo "long users_stub_called(const char *name);"
	nm -u "$1" | awk '{ print $NF }' | sort -u | comm -23 - "$exported" |
	while read -r symbol; do
		case $symbol in
		__this_module | _GLOBAL_OFFSET_TABLE_ | __fentry__) ;;
		__tracepoint_* | __drm_debug | __SCK__*)
			echo "char ${symbol}[512] __attribute__((aligned(64)));"
			;;
		# Says something, if it is told to.
		__drm_dev_dbg) printf 'void %s(void);\nvoid %s(void) {}\n' "$symbol" "$symbol" ;;
		*) printf 'long %s(void);\nlong %s(void) { return users_stub_called("%s"); }\n' \
			"$symbol" "$symbol" "$symbol" ;;
		esac
	done
}

say "compiling the users of MMU notifiers ($variant)"
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
