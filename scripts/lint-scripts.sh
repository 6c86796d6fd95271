#!/bin/sh
# The repository's own scripts, and its code that runs in the kernel.
. "$(dirname "$0")/lib.sh"

cd "$top"
for script in scripts/*.sh lab/guest/init lab/guest/run-* .ci/run; do
	if shellcheck "$script" >&2; then
		ok "shellcheck $script"
	else
		not_ok "shellcheck $script"
	fi
done

checkpatch=$tree/scripts/checkpatch.pl
for source in lab/drivers/*.[ch] lab/drivers/*/*.[ch]; do
	# It wants a kernel tree around it for some checks.
	if said=$(perl "$checkpatch" --root="$tree" --strict --terse --no-summary -f "$source" 2>&1); then
		ok "checkpatch $source"
	else
		not_ok "checkpatch $source"
		echo "$said" | sed 's/^/  | /' >&2
	fi
done
