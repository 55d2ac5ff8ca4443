#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `meson install` brings a configuration, and keeps the one that is there.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
place=$(mktemp -d)
trap 'rm -r "$place"' EXIT
config=$place/etc/multihomed.conf

DESTDIR=$place "$root/conf/install.sh" "$root/conf/multihomed.conf" /etc
cmp "$config" "$root/conf/multihomed.conf"
[ "$(stat -c %a "$config")" = 644 ]
echo 'model = "strong";' >"$config"
DESTDIR=$place "$root/conf/install.sh" "$root/conf/multihomed.conf" /etc
[ "$(cat "$config")" = 'model = "strong";' ]
