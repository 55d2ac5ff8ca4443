#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh FILE DIRECTORY - installs the configuration, but not over one that
# is there: it is the administrator's. Run by `meson install`.
set -eu

to=${DESTDIR-}$2/$(basename "$1")
if [ -e "$to" ]; then
	echo "$to is there already, and stays"
	exit 0
fi
install -D -m 644 "$1" "$to"
