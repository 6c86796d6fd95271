#!/bin/sh
# Plays the scenarios of lab/guest/bench/*.c on the unpatched and on the patched
# kernel in turn, several times, and reports how they compare. The VM's clock
# counts instructions (QEMU's -icount), so how busy the machine is does not
# matter; only who is killed beside a victim is looked at in real time.
# QUICK=1      a test of the bench: less of everything; prints "ok ..." lines
# ROUNDS=N     how often each scenario is played, default 5
# SEED=N       what the sizes of the bystanders' runs are drawn from, default 1
# RUNS=N       how many such runs, default 50
# COMPARE=A,B  two kernels of yours instead: each the object directory or bzImage
#              of one that is built. They are compared, nothing is judged.
# BASE_ONLY=1  the unpatched kernel, or the A of COMPARE=A, alone
# Exit code: 0 only if all is as promised.
. "$(dirname "$0")/lib/common.sh"

QUICK=${QUICK:-} SEED=${SEED:-1} COMPARE=${COMPARE:-} BASE_ONLY=${BASE_ONLY:-}
if [ -n "$QUICK" ]; then
	ROUNDS=${ROUNDS:-2} RUNS=${RUNS:-4} memory=2048 word=quick,
else
	ROUNDS=${ROUNDS:-5} RUNS=${RUNS:-50} memory=6144 word=
fi
for number in "$ROUNDS" "$RUNS" "$SEED"; do
	case $number in
	'' | *[!0-9]*) die "ROUNDS, RUNS and SEED are numbers, not \"$number\"" ;;
	esac
done
[ "$ROUNDS" -ge 1 ] || die "ROUNDS is at least 1"
out=$build/bench/$BASE
raw=$out/bench.csv
mkdir -p "$out"
exec 9>"$out/lock"
flock -n 9 || die "another bench is at work in $out"
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -n "$COMPARE" ]; then
	old=${COMPARE%%,*} new=${COMPARE#*,}
	[ -n "$BASE_ONLY" ] || [ "$old" != "$COMPARE" ] ||
		die "COMPARE names two kernels: COMPARE=A,B"
else
	old=base new=series
fi
names="old new"
[ -z "$BASE_ONLY" ] || names=old

"$top/scripts/deps.sh" lab demo
"$top/scripts/tree.sh" -w
"$top/scripts/lib/bench-program.sh" "$out/bench"
for name in $names; do
	[ "$name" = old ] && which=$old || which=$new
	"$top/scripts/lib/bench-kernel.sh" "$name" "$which"
done

commit=$(tree_git rev-parse --short=12 HEAD)
[ -z "$(work_in "$tree")" ] || commit="$commit, and uncommitted work"
echo "$(tree_git rev-list --count base..HEAD) patches, commit $commit, code $(code_id), core $(core_id)" >"$out/queue"

echo round,kernel,scenario,figure,value >"$raw.new"

# What does not have to be run: sizes.
size_of() { nm -S "$1" | awk -v name="$2" '$4 == name { print $2 }'; }
for name in $names; do
	for kind in interval list; do
		printf '0,%s,memory-%s,bytes,%d\n' "$name" $kind \
			"0x$(size_of "$out/$name/modules/lab_sizes.o" lab_size_$kind)"
	done
	size "$out/$name/objects/vmlinux" | awk -v name="$name" 'NR == 2 {
		printf "0,%s,memory-vmlinux,text,%d\n", name, $1
		printf "0,%s,memory-vmlinux,data,%d\n", name, $2 + $3
	}'
done >>"$raw.new"
if [ "$names" != old ]; then
	growth=$("$top/scripts/lib/text-growth.sh" "$out/old/objects/vmlinux" \
		"$out/new/objects/vmlinux" "$out/growth.log")
	echo "$growth" | awk '{
		print "0,new,growth,text," $1
		print "0,new,growth,tracepoints," $2
		print "0,new,growth,data," $3
	}' >>"$raw.new"
fi

# play KIND NAME ROUND LIMIT ARGUMENTS QEMU-OPTIONS: one VM
play() {
	console=$out/$2/$1-$3.log
	"$top/scripts/lib/boot.sh" -t "$4" -m "$memory" -a "norandmaps lab.run=/bin/run-bench,$5" \
		-q "$6" "$out/$2/bzImage" "$out/$2/initramfs.cpio" "$console" ||
		die "the scenarios did not end: see $console"
	tr -d '\r' <"$console" |
		sed -n "s/^LAB-DATA \([^ ]*\) \([^ ]*\) \(-*[0-9]*\)\$/$3,$2,\1,\2,\3/p" >>"$raw.new"
}

round=0 played=0 begin=$(date +%s)
while [ $round -lt "$ROUNDS" ]; do
	first=$((RUNS * round / ROUNDS))
	round=$((round + 1))
	runs=$((RUNS * round / ROUNDS - first))
	for name in $names; do
		left=
		[ $played = 0 ] ||
			left=", $(((($(date +%s) - begin) * (ROUNDS * $(echo "$names" | wc -w) - played) / played + 59) / 60)) min left"
		say "round $round of $ROUNDS, $name kernel$left"
		# Without ERMS the kernel clears a page by words: each step of
		# such an instruction counts, and is emulated.
		play count "$name" $round 1800 "${word}round=$round,calls,mrelease,kvm,reaper" \
			"-icount shift=0,sleep=off -smp 1 -cpu max,-la57,-erms"
		[ $runs = 0 ] || play bystanders "$name" $round 900 \
			"bystanders,seed=$SEED,first=$first,runs=$runs" ""
		played=$((played + 1))
	done
done

mv "$raw.new" "$raw"

QUICK=$QUICK SEED=$SEED ROUNDS=$ROUNDS "$top/scripts/lib/bench-report.sh" \
	"$raw" "$old" "$([ "$names" = old ] || echo "$new")"
