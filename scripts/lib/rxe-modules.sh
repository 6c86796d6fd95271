#!/bin/sh
# Builds soft-RoCE and what it needs as modules, for the debug kernel. Prints the path
# of each.
# usage: rxe-modules.sh base|series|scratch LOG
. "$(dirname "$0")/common.sh"

[ $# = 2 ] || die "usage: rxe-modules.sh base|series|scratch LOG"
src=$(tree_of "$1")
log=$2
objects=$src/o-debug
built=$objects/rxe
mkdir -p "$built"

# part DIR: its source, with the tree's Makefile if that is all about modules
part() {
	mkdir -p "$built/${1##*/}"
	for file in "$src/$1"/*.[ch] "$src/$1/Makefile"; do
		cmp -s "$file" "$built/${1##*/}/${file##*/}" ||
			cp "$file" "$built/${1##*/}/"
	done
}

# From copies of their source: of that kernel no module is built.
part drivers/infiniband/core
part drivers/infiniband/sw/rxe
part lib/dim
for file in "$src"/drivers/net/dummy.c "$src"/net/ipv4/udp_tunnel_core.c \
		"$src"/net/ipv4/udp_tunnel_nic.c; do
	cmp -s "$file" "$built/${file##*/}" || cp "$file" "$built/"
done
{
	echo "obj-m := core/ rxe/ dim/ udp_tunnel.o dummy.o"
	echo "udp_tunnel-y := udp_tunnel_core.o udp_tunnel_nic.o"
} >"$built/Kbuild"
# KASAN does not see what memcpy() does, unless gcc is 13 or newer.
# shellcheck disable=SC2016 # for make
printf '%s\n' 'include $(src)/Makefile' \
	'CFLAGS_rxe_odp.o += -Dmemcpy=__asan_memcpy' >"$built/rxe/Kbuild"
cmp -s "$objects/vmlinux.symvers" "$objects/Module.symvers" ||
	cp "$objects/vmlinux.symvers" "$objects/Module.symvers"
kmake "$src" debug M="$built" modules >"$log" 2>&1
sed -n 's/^modules="\(.*\)"$/\1/p' "$top/lab/guest/rxe-device" | tr ' ' '\n' |
	while read -r module; do
		find "$built" -name "$module.ko"
	done
