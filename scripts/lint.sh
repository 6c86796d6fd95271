#!/bin/sh
# Everything about the queue that can be checked without booting. Prints a
# line "ok ..." or "not ok ..." for each check; fails if one is not ok. What
# was found good is not looked at again until its input changes.
# usage: lint.sh [-t]                 -t: the texts only, nothing is compiled
#        lint.sh PART [SERIES...]     one of scripts/lib/lint-*.sh alone
. "$(dirname "$0")/lib/common.sh"

case ${1:-} in
'' | -t) ;;
*)
	part=$top/scripts/lib/lint-$1.sh
	[ -x "$part" ] ||
		die "no such part: $1 (there is: $(cd "$top/scripts/lib" && echo lint-*.sh | sed 's/lint-//g; s/\.sh//g'))"
	shift
	exec "$part" "$@"
	;;
esac
out=$logs/lint
results=$out/results
rm -rf "$out"
mkdir -p "$out"
[ -e "$tree/.git" ] || die "$tree is missing: run make tree"
for tool in sparse shellcheck perl quilt b4; do
	command -v "$tool" >/dev/null || die "$tool is missing: run scripts/deps.sh lint"
done

# One that ends before it is through must not pass for what it said until then, nor
# keep the others from running.
part() { "$top/scripts/lib/lint-$1.sh" || not_ok "lint-$1: it ends early (exit code $?)"; }
{
	part queue
	part maintainers
	part mbox
	part docs
	[ "${1:-}" = -t ] || {
		part builds
		part programs
		part configs
	}
	part scripts
} | tee "$results"

"$top/scripts/lib/results.sh" stale
good=$(grep -c '^ok ' "$results" || :)
bad=$(grep -c '^not ok ' "$results" || :)
say "$good ok, $bad not ok"
[ "$bad" = 0 ]
