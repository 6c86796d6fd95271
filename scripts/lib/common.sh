# Settings and helpers that the scripts share; sourced, never run.
# shellcheck shell=sh disable=SC2034

set -eu
umask 022

# The script is in scripts/, or in scripts/lib/.
top=$(dirname "$0")/..
[ -e "$top/patches/default" ] || top=$top/..
top=$(cd "$top" && pwd)
default_base=$(cat "$top/patches/default")
BASE=${BASE:-$default_base}
JOBS=${JOBS:-$(nproc)}
queue=$top/patches/$BASE
build=$top/build
tree=$build/$BASE
base_tree=$build/$BASE-base
# What is tested: the debug kernel on x86-64, or one of config/variant
VARIANT=${VARIANT:-}
debug=debug${VARIANT:+-$VARIANT}
logs=$build/log/$BASE${VARIANT:+-$VARIANT}
arch='' cross='' image=arch/x86/boot/bzImage
# The name that Debian and the scripts have for a processor that is not this one
foreign=''
case $VARIANT in
arm64 | 64k) arch=arm64 foreign=arm64 cross=aarch64-linux-gnu- image=arch/arm64/boot/Image ;;
i386) foreign=i386 cross=i686-linux-gnu- ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mmu-notifier-lab
me=$(basename "$0" .sh)

# What an outer make hands down is meant for our Makefile, not for kbuild.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL KBUILD_OUTPUT ARCH CROSS_COMPILE

# Messages and formats that scripts parse or store must not follow the user.
export LC_ALL=C TZ=UTC
export CCACHE_DIR="$cache/ccache" CCACHE_NOHASHDIR=1

say() { echo "$me: $*" >&2; }
die() { echo "$me: $*" >&2; exit 1; }

# The first script of every command checks this, before anything is installed.
need_queue() {
	[ -e "$queue/series" ] ||
		die "there is no patches/$BASE/series (there is: $(cd "$top/patches" 2>/dev/null && echo */series))"
}

# base_field FIELD: from patches/BASE/base (package, suite if it is not in the
# system's own, version, tested, llvm if the system's clang is too old).
base_field() { sed -n "s/^$1 //p" "$queue/base"; }

# git without the user's settings: what it writes must not depend on them.
plain_git() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"; }
tree_git() { plain_git -C "$tree" "$@"; }

# tree_of base|series|scratch: where that kernel's source is.
tree_of() {
	case $1 in
	base) echo "$base_tree" ;;
	series) echo "$tree" ;;
	scratch) echo "$build/$BASE-scratch" ;;
	*) die "no such tree: $1 (base, series or scratch)" ;;
	esac
}

# object FILE.c: the make target for it; amdkfd is built from amdgpu's directory.
object() {
	echo "${1%.c}.o" | sed 's,/amd/amdkfd/,/amd/amdgpu/../amdkfd/,'
}

# fragments NAME...: the files of these fragments of a configuration, each followed
# by what this base wants differently. The last line about a symbol decides.
fragments() {
	for fragment; do
		echo "$top/config/$fragment.config"
		[ ! -e "$top/config/$BASE/$fragment.config" ] ||
			echo "$top/config/$BASE/$fragment.config"
	done
}

# llvm_suffix: of the clang that this base takes, "-19"; nothing for the system's own
llvm_suffix() { base_field llvm | sed 's/^/-/'; }

kmake() { "$top/scripts/lib/kbuild.sh" "$@"; }

# need_space DIR GIB: refuse before the disk is full, not when it is.
need_space() {
	free=$(df -Pk "$1" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$2" ] ||
		die "$1 has $free GiB free, this needs $2: free some or put the clone on another disk"
}

# kernel_version DIR: version of the kernel source there, "6.12.117".
kernel_version() {
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = *//p' "$1/Makefile" 2>/dev/null |
		head -3 | paste -sd. -
}

# queue_names: the patches of the queue, in order, as SERIES/SLUG.patch.
queue_names() { sed 's/#.*//; s/[[:space:]].*//; /^$/d' "$queue/series"; }

# patches_of SERIES...: those of these series.
patches_of() {
	for series_name; do
		queue_names | grep "^$series_name/" || :
	done
}

# lines_of SERIES/SLUG.patch: how many lines it adds and removes
lines_of() {
	sed '1,/^---$/d' "$queue/$1" | grep -vE '^(\+\+\+|---) ' | grep -c '^[-+]' || :
}

# series_names: the series of the queue, in order.
series_names() { queue_names | sed 's,/.*,,' | uniq; }

# series_field SERIES FIELD: from the head of its cover letter (Subject, Needs,
# Tree, List).
series_field() { sed -n "/^\$/q; s/^$2: *//p" "$queue/$1/cover-letter.md"; }

# series_needs SERIES: the series that have to be there before it, all of them, in
# the order of the queue.
series_needs() {
	needs=$(series_field "$1" Needs)
	while :; do
		more=$(for need in $needs; do echo "$need"; series_field "$need" Needs; done |
			tr ' ' '\n' | sort -u | paste -sd' ' -)
		[ "$more" != "$needs" ] || break
		needs=$more
	done
	for name in $(series_names); do
		case " $needs " in *" $name "*) echo "$name" ;; esac
	done
}

# work_in DIR: what is not committed there, empty when clean.
work_in() { plain_git -C "$1" status --porcelain; }

# queue_id: one name for the whole content of the queue.
queue_id() {
	{
		queue_names
		for name in $(queue_names); do cat "$queue/$name"; done
	} | git hash-object --stdin
}

# code_id [PATHSPEC...]: one name for what results depend on: what the queue changes in
# the kernel, but not texts, tests and tools.
code_id() {
	tree_git diff base "$(tree_git rev-parse -q --verify series || echo HEAD)" -- . ':!Documentation' \
		':!MAINTAINERS' ':!mm/tests' ':!samples' ':!scripts' ':!tools' "$@" |
		grep -v '^index ' | git hash-object --stdin | cut -c1-12
}

# core_id: the same for what is measured without any of the drivers.
core_id() { code_id ':!drivers'; }

# record_queue COMMIT: the queue as it is now is that commit of the tree.
record_queue() {
	echo "$(queue_id) $(tree_git rev-parse base) $1" >"$tree/.git/lab-queue"
}

# no_um_processes CONSOLE: User Mode Linux says there that none can run. Before 6.13 it
# has no room for the registers of a host with AMX; KUnit, in the kernel, runs.
no_um_processes() { grep -q 'ptrace set fp regs failed' "$1"; }

# Results, one line a check, the same form as the guest's TAP.
ok() { echo "ok $*"; }
not_ok() { echo "not ok $*"; }

# is_cached KEY-MATERIAL...: this was checked before with the same input.
# remember: it is good.
is_cached() {
	cached=$cache/checked/$(echo "$*" | sha1sum | cut -c1-40)
	[ -e "$cached" ]
}
remember() {
	mkdir -p "$cache/checked"
	: >"$cached"
}

# scratch_tree: a worktree for what needs other commits than the series' last;
# its object directories are kept from run to run.
scratch_tree() {
	scratch=$(tree_of scratch)
	exec 9>"$build/$BASE-scratch.lock"
	flock -n 9 || die "another lint or prove is at work in $scratch"
	if [ ! -e "$scratch/.git" ]; then
		tree_git worktree prune
		tree_git worktree add -q --detach "$scratch" base >&2
	fi
	plain_git -C "$scratch" reset -q --hard >&2
	plain_git -C "$scratch" clean -q -d -f >&2
}
