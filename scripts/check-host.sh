#!/bin/sh
# The part of make check that needs no debug kernel: it compiles, mostly.
. "$(dirname "$0")/lib.sh"

suite() { "$top/scripts/suite.sh" "$@"; }
suite cocci "$top/scripts/test-cocci.sh"
# A build of every patch takes too long beside the VMs: make lint does it.
suite lint "$top/scripts/lint.sh" -t
