#!/bin/sh
# The repository's own scripts.
. "$(dirname "$0")/lib.sh"

cd "$top"
for script in scripts/*.sh lab/guest/init lab/guest/run-* .ci/run; do
	if shellcheck "$script" >&2; then
		ok "shellcheck $script"
	else
		not_ok "shellcheck $script"
	fi
done
