#!/bin/sh
# Everything about the queue that can be checked without booting. Prints a
# line "ok ..." or "not ok ..." for each check; fails if one is not ok. What
# was found good is not looked at again until its input changes.
# usage: lint.sh [-t]      -t: the texts only, nothing is compiled
. "$(dirname "$0")/lib.sh"

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
part() { "$top/scripts/$1.sh" || not_ok "$1: it ends early (exit code $?)"; }
{
	part lint-queue
	part lint-maintainers
	part test-mbox
	part lint-docs
	[ "${1:-}" = -t ] || {
		part lint-builds
		part lint-programs
		part lint-configs
	}
	part lint-scripts
} | tee "$results"

"$top/scripts/results.sh" stale
good=$(grep -c '^ok ' "$results" || :)
bad=$(grep -c '^not ok ' "$results" || :)
say "$good ok, $bad not ok"
[ "$bad" = 0 ]
