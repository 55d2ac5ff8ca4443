#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# train.sh DAEMON CTL - the work of an ordinary day, for a build that counts
# what is often run and what never (-Db_pgo=generate).
#
# A network of its own, in namespaces that need no privileges. Exit: not 0 if
# these are not to be had, or if the daemon does not end well.
set -eu

if [ -z "${TRAIN_INSIDE-}" ]; then
	exec env TRAIN_INSIDE=1 unshare --user --map-root-user --net "$0" "$@"
fi

daemon=$1
ctl=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

routes=400  # there at the start, per family
changes=300 # one at a time

link() # NUMBER
{
	ip link add "eth$1" type veth peer name "peer$1"
	ip link set "peer$1" up
	ip link set "eth$1" up
	ip address add "10.$1.0.2/24" dev "eth$1"
	ip -6 address add "2001:db8:$1::2/64" dev "eth$1" nodad
	ip route add default via "10.$1.0.1" dev "eth$1" metric "10$1"
	ip -6 route add default via "2001:db8:$1::1" dev "eth$1" metric "10$1"
}

# Number I of many, over link K.
put() # I K
{
	echo "route replace 16.$(($1 / 256)).$(($1 % 256)).0/24" \
		"via 10.$2.0.1 dev eth$2"
	echo "-6 route replace 2001:db8:f$1::/48" \
		"via 2001:db8:$2::1 dev eth$2"
}

tell() # what stands for `ip`'s options on each line
{
	while read -r line; do
		# shellcheck disable=SC2086 # words
		ip $line
	done
}

ask()
{
	"$ctl" -s "$dir/socket" "$@" >"$dir/answer"
}

ip link set lo up
link 0
link 1
i=0
while [ "$i" -lt "$routes" ]; do
	put "$i" $((i % 2))
	i=$((i + 1))
done | tell

: >"$dir/config"
"$daemon" -c "$dir/config" -s "$dir/socket" 2>"$dir/log" &
tries=50
while ! ask wait 2>/dev/null; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] && kill -0 "$!"
	sleep 0.1
done

# Changes, each of them on its own.
i=0
while [ "$i" -lt "$changes" ]; do
	put $((i % 20)) $((i / 20 % 2)) | tell
	i=$((i + 1))
done

for k in 1 0; do # an uplink is lost, and found again
	ip link set "peer$k" down
	ask wait
	ip link set "peer$k" up
	ask wait
	ip route flush dev "eth$k" metric 1024
	ask wait
done
ask status
ask explain 10.0.0.2 16.0.5.1
kill "$!"
wait "$!"
