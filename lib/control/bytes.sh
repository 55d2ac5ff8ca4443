#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The bytes of a file, as elements of a C array: bytes.sh FILE
set -eu

od -An -v -tx1 "$1" | sed 's/ \(..\)/0x\1,/g'
