#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# train.sh BUILD - let what was built with -Db_pgo=generate in the directory
# BUILD do the work of an ordinary day, in a network of its own, and configure
# BUILD to be built again with what was learned.
#
# It needs no privileges. Where such a network is not to be had, BUILD is
# configured to be built without (-Db_pgo=off), and that is said; anything else
# that fails is an error.
set -eu

build=$1
daemon=$build/daemon/multihomed
ctl=$build/ctl/multihomectl

routes=400  # there at the start, per family
changes=300 # one at a time

apart() # COMMAND...
{
	unshare --user --map-root-user --net "$@"
}

if [ -z "${TRAIN_APART-}" ]; then
	if apart ip link add probe0 type veth peer name probe1; then
		apart env TRAIN_APART=1 "$0" "$build"
		exec meson configure -Db_pgo=use "$build"
	fi
	echo "$0: no network to train in: a build without a profile"
	exec meson configure -Db_pgo=off "$build"
fi

# --- from here on in a network of its own ---

dir=$(mktemp -d)
pid=
end()
{
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	rm -rf "$dir"
}
trap end EXIT

add_uplink() # NUMBER
{
	ip link add "eth$1" type veth peer name "peer$1"
	ip link set "peer$1" up
	ip link set "eth$1" up
	ip address add "10.$1.0.2/24" dev "eth$1"
	ip -6 address add "2001:db8:$1::2/64" dev "eth$1" nodad
	ip route add default via "10.$1.0.1" dev "eth$1" metric "10$1"
	ip -6 route add default via "2001:db8:$1::1" dev "eth$1" metric "10$1"
}

lead_over() # UPLINK ROUTE
{
	ip route replace "16.$(($2 / 256)).$(($2 % 256)).0/24" \
		via "10.$1.0.1" dev "eth$1"
	ip -6 route replace "2001:db8:f$2::/48" \
		via "2001:db8:$1::1" dev "eth$1"
}

ask()
{
	"$ctl" -s "$dir/socket" "$@" >"$dir/answer"
}

ip link set lo up
add_uplink 0
add_uplink 1
i=0
while [ "$i" -lt "$routes" ]; do
	lead_over $((i % 2)) "$i"
	i=$((i + 1))
done

: >"$dir/config"
"$daemon" -c "$dir/config" -s "$dir/socket" 2>"$dir/log" &
pid=$!
tries=50
until ask wait 2>/dev/null; do
	tries=$((tries - 1))
	if [ "$tries" = 0 ]; then
		cat "$dir/log" >&2
		exit 1
	fi
	sleep 0.1
done

i=0
while [ "$i" -lt "$changes" ]; do
	lead_over $((i / 20 % 2)) $((i % 20))
	i=$((i + 1))
done

for k in 1 0; do # an uplink has no carrier for a moment
	ip link set "peer$k" down
	ask wait
	ip link set "peer$k" up
	ask wait
done
ask status
ask explain 10.0.0.2 16.0.5.1

# What was counted is written at the end.
kill "$pid"
wait "$pid"
pid=
