#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# ./dev says what is wrong with an argument, before it does anything.
set -eu

dev=$(dirname "$0")/../../dev
MULTIHOMED_BUILD=$(mktemp -d)
export MULTIHOMED_BUILD
trap 'rm -rf "$MULTIHOMED_BUILD"' EXIT
mkdir "$MULTIHOMED_BUILD/build"

refused() # VERB ARGUMENT
{
	if said=$("$dev" "$@" 2>&1); then
		echo "./dev $*: not refused: $said"
		exit 1
	fi
	case $said in
	"./dev: "*"$1"*) ;;
	*)
		echo "./dev $*: $said"
		exit 1
		;;
	esac
	[ "$(ls "$MULTIHOMED_BUILD")" = build ] || {
		echo "./dev $*: did something"
		exit 1
	}
}

refused fuzz x
refused fuzz 0
refused clean x
refused vm nosuch
refused fmt --nonsense
