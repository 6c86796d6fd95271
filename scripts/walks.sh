#!/bin/sh
# What other ways to walk around refusals would cost and keep: the unpatched reaper
# with the bisection of lab/walks/BASE, down to a page table or a page, and the series
# with other chunks for list notifiers. Each is built, and plays two scenarios of the
# bench once, under QEMU's -icount: a boot is the same as the one before. The table
# goes to results/BASE/walks.md.
# usage: walks.sh
. "$(dirname "$0")/lib/common.sh"

[ $# = 0 ] || die "usage: walks.sh"
out=$build/bench/$BASE
bisect=$top/lab/walks/$BASE/bisect.patch
line='^#define MN_NONBLOCK_CHUNK ALIGN(128UL << 20, PMD_SIZE)$'

"$top/scripts/deps.sh" lab demo
"$top/scripts/tree.sh" -w
scratch_tree
mkdir -p "$out"
trap 'rm -rf "${tmp:-}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
tmp=$(mktemp -d "$build/tmp.XXXXXX")
"$top/scripts/lib/bench-program.sh" "$out/bench"

# altered NAME: that kernel is in the scratch tree; not if this base has no such patch
altered() {
	plain_git -C "$scratch" reset -q --hard
	case $1 in
	unpatched | bisect-*) plain_git -C "$scratch" checkout -q --detach base ;;
	*) plain_git -C "$scratch" checkout -q --detach series ;;
	esac
	case $1 in
	unpatched) ;;
	bisect-*)
		[ -e "$bisect" ] || { say "$1 is left out: there is no $bisect"; return 1; }
		plain_git -C "$scratch" apply "$bisect" || die "$bisect does not apply"
		[ "$1" = bisect-page ] && smallest=PAGE_SIZE || smallest=PMD_SIZE
		sed -i "s/SMALLEST/$smallest/" "$scratch/mm/oom_kill.c"
		;;
	chunk-*)
		grep -q "$line" "$scratch/mm/mmu_notifier.c" ||
			die "mm/mmu_notifier.c has no line $line: mend $0"
		sed -i "/$line/s/128UL/${1#chunk-}UL/" "$scratch/mm/mmu_notifier.c"
		;;
	esac
}

# figure NAME SCENARIO FIGURE
figure() { sed -n "s/^LAB-DATA $2 $3 \\(-*[0-9]*\\)\$/\\1/p" "$tmp/$1" | tail -1; }

# row NAME TEXT
row() {
	set -- "$1" "$2" "$(figure "$1" kvm-2048 section)" "$(figure "$1" kvm-2048 calls)" \
		"$(figure "$1" scattered-512 left_kib)" "$(figure "$1" scattered-512 calls_over_all)" \
		"$(figure "$1" scattered-512 calls)" "$(figure "$1" scattered-512 instructions)"
	for cell; do [ -n "$cell" ] || die "$1 has not played all: see $out/walk-$1/count.log"; done
	shift
	printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$1" \
		"$(echo "$2" | awk '{ printf "%.2f M", $1 / 1e6 }')" "$3" "$4" "$5" "$6" \
		"$(echo "$7" | awk '{ printf "%.1f M", $1 / 1e6 }')"
}

for name in unpatched bisect-pmd bisect-page chunk-512 chunk-256 chunk-128 chunk-64 chunk-32; do
	altered $name || continue
	say "$name: building (some minutes)"
	"$top/scripts/lib/bench-kernel.sh" "walk-$name" scratch
	console=$out/walk-$name/count.log
	say "$name: playing (a few minutes)"
	"$top/scripts/lib/boot.sh" -t 1800 -m 6144 -a "norandmaps lab.run=/bin/run-bench,scattered,kvm" \
		-q "-icount shift=0,sleep=off -smp 1 -cpu max,-la57,-erms" \
		"$out/walk-$name/bzImage" "$out/walk-$name/initramfs.cpio" "$console" ||
		die "the scenarios did not end: see $console"
	tr -d '\r' <"$console" >"$tmp/$name"
	case $name in
	unpatched) text="unpatched" ;;
	bisect-pmd) text="unpatched, refusals are bisected down to 2 MiB" ;;
	bisect-page) text="unpatched, refusals are bisected down to 4 KiB" ;;
	*) text="series, ${name#chunk-} MiB for list notifiers" ;;
	esac
	row $name "$text" >>"$tmp/rows"
done

mkdir -p "$top/results/$BASE"
"$top/scripts/lib/environment.sh" >"$top/results/$BASE/walks-environment.txt"
{
	echo "# Other ways to walk around refusals, Linux $BASE"
	echo
	echo "Written by scripts/walks.sh, not by hand. Where it ran: walks-environment.txt."
	echo
	echo "A guest of 2 GiB in small pages: the longest call of KVM in instructions, and how"
	echo "many calls it gets; an SEV guest has a WBINVD for each that finds a memory slot."
	echo "1 GiB with one page in each 2 MiB that is refused, and an interval over all of it"
	echo "that accepts: what process_mrelease(2) leaves, how often it calls the one over"
	echo "all and the 512 that refuse, and its instructions. 512 refusals keep 2048 KiB at"
	echo "least."
	echo
	echo "| kernel | longest call of KVM | calls of KVM | KiB left | calls over all | calls that refuse | instructions |"
	echo "|---|---|---|---|---|---|---|"
	cat "$tmp/rows"
} >"$tmp/walks.md"
cp "$tmp/walks.md" "$top/results/$BASE/walks.md"
"$top/scripts/lib/results.sh"
cat "$tmp/rows"
say "wrote results/$BASE/walks.md"
