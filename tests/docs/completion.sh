#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the bash completions offer, with a multihomectl of our own in PATH.
set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export WORK=$work
cd "$work" || exit 1

cat >multihomectl <<'END'
#!/bin/bash
[[ $* != *complete* ]] && exit 2
echo "$*" >>"$WORK/calls"
case $(cat "$WORK/daemon") in
none)
	[[ $* == *'complete commands'* ]] || {
		echo 'multihomectl: no daemon' >&2
		exit 3
	}
	;;
hung) trap '' TERM && sleep 20 ;;
esac
case ${*: -1} in
commands) printf '%s\n' status subnets table explain wait reload help ;;
links) printf '%s\n' eth0 eth1 'wwan0' '$(touch pwned)' ;;
subnets) printf '%s\n' 10.1.0.0/24 10.2.0.0/24 2001:db8:1::/64 \
	2001:db8:2::/64 ;;
esac
END
chmod +x multihomectl
echo up >daemon
: >a-file
mkdir a-folder
PATH=$work:$PATH

# shellcheck source=/dev/null
source "$root/completions/multihomectl"
# shellcheck source=/dev/null
source "$root/completions/multihomed"

# As readline does it: cuts the line into words and calls the function.
complete_line() # LINE
{
	local rest=$1 blank=' ' piece

	COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=() COMPREPLY=()
	while [[ $rest =~ ^([^\ :=]+|[:=]+|\ +)(.*)$ ]]; do
		piece=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
		[[ $piece == "$blank"* ]] || COMP_WORDS+=("$piece")
	done
	[[ $1 == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	"_${COMP_WORDS[0]}" "${COMP_WORDS[0]}" "${COMP_WORDS[-1]}" \
		"${COMP_WORDS[-2]-}"
}

failed=0 passed=0

check() # LINE REPLIES WHY
{
	local got

	complete_line "$1" 2>"$work/noise"
	got=${COMPREPLY[*]-}
	if [[ $got == "$2" && ! -s $work/noise ]]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	printf '%s\n  line: %s\n  want: %s\n  got:  %s\n' "$3" "$1" "$2" "$got"
	cat "$work/noise"
}

COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'

check 'multihomectl ' 'status subnets table explain wait reload help' \
	'the commands'
check 'multihomectl s' 'status subnets' 'commands that begin so'
check 'multihomectl --json st' 'status' 'a command behind an option'
check 'multihomectl -s /x st' 'status' 'what -s wants is no command'
check 'multihomectl help ex' 'explain' 'help takes a command'
check 'multihomectl status ' '' 'status takes nothing'
check 'multihomectl table 10.' '10.1.0.0/24 10.2.0.0/24' 'subnets'
check 'multihomectl table 10.1.0.0/24 ' '' 'one subnet only'
check 'multihomectl table 2001:db8:' '1::/64 2::/64' \
	'readline keeps what stands before the last colon'
check 'multihomectl table 2001:db8:2' '2::/64' 'the same inside a word'
check 'multihomectl -' '--socket --json --help --version' 'options of all'
check 'multihomectl wait --t' '--timeout' 'options of a command'
check 'multihomectl status --t' '' 'options of other commands'
check 'multihomectl explain --without eth' 'eth0 eth1' 'links'
check 'multihomectl explain --dev=w' 'wwan0' 'links behind a ='
check 'multihomectl explain 10.1.0.2 --' \
	'--socket --json --help --version --dev --mptcp --tos --without' \
	'options behind arguments'
check 'multihomectl reload --try ' '' 'a number cannot be known'
check 'multihomectl -s a-fo' 'a-folder' 'files and folders'
check 'multihomectl --socket=a-fi' 'a-file' 'files behind a ='
check 'multihomectl nonsense ' '' 'a command that is none'
# shellcheck disable=SC2016 # the name of a link, as it is
check 'multihomectl explain --dev $' '\$\(touch\ pwned\)' \
	'a name with marks of the shell is quoted'

: >calls
check 'multihomectl --socket=/y table 10.1' '10.1.0.0/24' 'another socket'
check 'multihomectl -s /z table 10.1' '10.1.0.0/24' 'another socket'
if ! diff - calls <<<'-s /y complete subnets
-s /z complete subnets'; then
	echo 'the socket of the line is not the one that is asked'
	failed=$((failed + 1))
fi

COMP_WORDBREAKS=$' \t\n"\'><;|&('
check 'multihomectl table 2001:db8:2' '2001:db8:2::/64' 'colons cut no words'
check 'multihomectl explain --dev=w' '--dev=wwan0' 'equal signs cut no words'
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'

echo none >daemon
check 'multihomectl table ' '' 'no daemon: no words, no noise'
check 'multihomectl w' 'wait' 'no daemon: commands all the same'

echo hung >daemon
start=$SECONDS
check 'multihomectl table ' '' 'a daemon that hangs'
if ((SECONDS - start > 3)); then
	echo "a daemon that hangs is waited for $((SECONDS - start)) s"
	failed=$((failed + 1))
fi

rm multihomectl
hash -r
check 'multihomectl ' '' 'no program'

check 'multihomed --c' '--config --check' 'options'
check 'multihomed -c a-fo' 'a-folder' 'files and folders'
check 'multihomed --config=a-fi' 'a-file' 'files behind a ='
check 'multihomed --check ' \
	'--config --socket --check --plan --flush --version --help' \
	'options are all there is'

if [[ -e pwned ]]; then
	echo 'the name of a link was executed'
	failed=$((failed + 1))
fi
if [[ $failed != 0 ]]; then
	echo "$failed of $((passed + failed)) failed"
	exit 1
fi
