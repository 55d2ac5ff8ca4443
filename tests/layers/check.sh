#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Proves that dependencies point one way: what the core library may call, and
# which folder may include which header. And that no source is forgotten: each
# is named in the meson.build beside it.
#
#   check.sh ROOT LIBCORE   check the tree at ROOT and its built core library
#   check.sh --self-test    plant one violation of each kind, demand a finding
set -euo pipefail
shopt -s nullglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
layers=(lib/core lib/ra lib/doctor lib/kernel lib/control daemon/answers
	daemon/config daemon/engine daemon/facts daemon/mptcp daemon/round
	daemon/server daemon
	ctl ctl/render)

# Start of the included name, then the folders that may include it.
include_rules='
netlink/    lib/kernel
linux/      lib/kernel
ev.h        daemon daemon/server
ev++.h      -
libconfig.h daemon/config
systemd/    daemon
json-c/     lib/control daemon daemon/answers daemon/server ctl ctl/render
core/       lib/core lib/ra lib/doctor lib/kernel daemon daemon/answers daemon/config daemon/engine daemon/facts daemon/mptcp daemon/round
ra/         lib/ra lib/kernel daemon daemon/answers daemon/engine daemon/round
doctor/     lib/doctor daemon daemon/answers daemon/facts
kernel/     lib/kernel daemon daemon/answers daemon/engine daemon/facts daemon/mptcp daemon/round
control/    lib/control daemon daemon/answers daemon/server ctl ctl/render
answers/    daemon daemon/answers
config/     daemon daemon/config
engine/     daemon daemon/answers daemon/engine daemon/facts daemon/mptcp daemon/round
facts/      daemon daemon/answers daemon/facts
mptcp/      daemon daemon/answers daemon/mptcp
round/      daemon daemon/answers daemon/round
server/     daemon daemon/answers daemon/server
daemon/     -
ctl/        -
render/     ctl ctl/render
tests/      -
../         -
'

# Undefined symbols of the archive that none of its members defines.
core_calls() # LIBCORE
{
	comm -23 <(nm -u "$1" | awk '$1 == "U" || $1 == "w" { print $2 }' |
			sort -u) \
		<(nm --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u)
}

is_allowed() # SYMBOL
{
	local name=$1 pattern

	if [[ $name == __*_chk ]]; then
		name=${name#__}
		name=${name%_chk}
	fi
	while read -r pattern; do
		# The right side is a pattern, as the file says.
		# shellcheck disable=SC2053
		[[ $pattern != '#'* && $name == $pattern ]] && return 0
	done <"$here/core.allow"
	return 1
}

check_symbols() # LIBCORE
{
	local symbol bad=0

	if ! nm --defined-only "$1" | grep ' T ' >/dev/null; then
		echo "$1: defines no function, so there is nothing to check"
		return 1
	fi
	while read -r symbol; do
		is_allowed "$symbol" && continue
		echo "lib/core calls $symbol, which core.allow does not name"
		bad=1
	done < <(core_calls "$1")
	return $bad
}

# Reads rules, then "FILE:LINE:TEXT" for each include; prints the violations.
# shellcheck disable=SC2016 # the $ are awk's
judge_includes='
FNR == NR {
	start[++rules] = $1
	folders[rules] = " " substr($0, length($1) + 1) " "
	next
}
{
	match($0, "^((lib|daemon|ctl)/)?[^/]*")
	layer = substr($0, 1, RLENGTH)
	if (layer ~ /\./) # a file: its folder is the layer
		sub("/.*", "", layer)
	name = $0
	sub(/^[^<"]*[<"]/, "", name)
	for (i = 1; i <= rules; i++)
		if (index(name, start[i]) == 1 &&
		    !index(folders[i], " " layer " "))
			print layer " may not include " start[i] "*: " $0
}'

check_includes() # ROOT
{
	local layer sources found bad=0

	for layer in "${layers[@]}"; do
		sources=("$1/$layer"/*.c)
		[ ${#sources[@]} != 0 ] && continue
		echo "$layer: no sources, so there is nothing to check"
		bad=1
	done
	found=$(cd "$1" && grep -rnE --include='*.[ch]' \
		'^[[:space:]]*#[[:space:]]*include\>' "${layers[@]}" |
		awk "$judge_includes" <(grep . <<<"$include_rules") -) || {
		echo "$1: its includes could not be read"
		return 1
	}
	[ -z "$found" ] && return $bad
	printf '%s\n' "$found"
	return 1
}

# A test that is in no meson.build passes for ever.
check_listed() # ROOT
{
	local file name bad=0

	while read -r file; do
		name=${file##*/}
		name=${name%.c}
		grep -qs -e "'$name.c'" -e "'$name'" -e "'${name#fuzz_}'" \
			"${file%/*}/meson.build" && continue
		echo "${file#"$1"/}: not named in the meson.build beside it"
		bad=1
	done < <(find "$1" -path "$1/build*" -prune -o -name '*.c' -print)
	return $bad
}

check() # ROOT LIBCORE
{
	local bad=0

	check_symbols "$2" || bad=1
	check_includes "$1" || bad=1
	check_listed "$1" || bad=1
	return $bad
}

build_core() # ROOT
{
	rm -f "$1/libcore.a"
	"${CC:-cc}" -c -o "$1/core.o" "$1/lib/core/a.c"
	ar rc "$1/libcore.a" "$1/core.o"
}

# A tree that keeps every rule.
plant_tree() # ROOT
{
	local layer

	for layer in "${layers[@]}"; do
		mkdir -p "$1/$layer"
		echo '#include <string.h>' >"$1/$layer/a.c"
		echo "files('a.c')" >"$1/$layer/meson.build"
	done
	echo '#include <netlink/msg.h>' >>"$1/lib/kernel/a.c"
	echo '#include "core/ip.h"' >>"$1/lib/kernel/a.c"
	echo '#include <json-c/json.h>' >>"$1/lib/control/a.c"
	echo '#include <ev.h>' >>"$1/daemon/a.c"
	echo 'void *f(void *p);void *f(void *p) { return memset(p, 0, 9); }' \
		>>"$1/lib/core/a.c"
	build_core "$1"
}

# Breaks one rule, demands a finding that names it, and mends the tree again.
expect_finding() # ROOT LAYER LINE WORDS
{
	local file=$1/$2/a.c out rc=0

	cp "$file" "$1/kept"
	printf '%s\n' "$3" >>"$file"
	out=$(check_includes "$1") || rc=$?
	cp "$1/kept" "$file"
	[[ $rc == 1 && $out == *"$4"* ]] && return 0
	echo "not found in $2: $3"
	return 1
}

expect_call_finding() # ROOT
{
	local out rc=0

	echo 'int getpid(void);int g(void);int g(void) { return getpid(); }' \
		>>"$1/lib/core/a.c"
	build_core "$1"
	out=$(check_symbols "$1/libcore.a") || rc=$?
	[[ $rc == 1 && $out == *'calls getpid'* ]] && return 0
	echo "a system call in lib/core was not found"
	return 1
}

self_test()
{
	local root bad=0 layer start allowed

	root=$(mktemp -d)
	# shellcheck disable=SC2064 # the name of this run's directory
	trap "rm -rf '$root'" EXIT
	plant_tree "$root"
	check "$root" "$root/libcore.a" || {
		echo "a tree that keeps every rule was refused"
		bad=1
	}
	while read -r start allowed; do
		for layer in "${layers[@]}"; do
			[[ " $allowed " == *" $layer "* ]] && continue
			expect_finding "$root" "$layer" \
				"  #  include <${start}x.h>" \
				"$layer may not include $start" || bad=1
		done
	done < <(grep . <<<"$include_rules")
	expect_call_finding "$root" || bad=1
	touch "$root/lib/core/b.c"
	if check_listed "$root" >/dev/null; then
		echo "a source that no meson.build names passed"
		bad=1
	fi
	rm "$root"/ctl/a.c
	if check_includes "$root" >/dev/null; then
		echo "an empty layer passed"
		bad=1
	fi
	return $bad
}

case ${1-} in
--self-test) self_test ;;
'' | -*)
	echo "usage: check.sh ROOT LIBCORE | --self-test" >&2
	exit 2
	;;
*) check "$1" "$2" ;;
esac
