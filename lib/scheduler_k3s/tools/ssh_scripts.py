"""The shell scripts around an ssh connection: one that holds it here, and those that run on the other side."""

CONNECT = """umask 077
directory=$(mktemp -d "$1/k3s-ssh-XXXXXXXXXX") || exit 1
shift
trap 'rm -rf -- "$directory"' EXIT
trap 'exit 1' HUP INT TERM PIPE
echo "$directory"
ssh -S "$directory/s" "$@"
"""
"""Runs ssh with its words and a socket in a private directory below its first word, whose name it prints.

It takes the directory away when the connection ends, which outlives whoever asked for it by the time that takes.
"""

HOLD = """umask 077
directory=$(mktemp -d /tmp/dokku-k3s.XXXXXXXXXX) || exit 1
trap 'rm -rf -- "$directory"' EXIT
trap 'exit 1' HUP INT TERM PIPE
echo "$directory"
while read -r line; do :; done
"""
"""Makes a private directory, prints its name, and takes it away when its input ends."""

WATCH = """exec 3<&0
setsid "$@" </dev/null 3<&- &
child=$!
(while read -r line; do :; done; kill -TERM "-$child"; sleep 10; kill -KILL "-$child") <&3 >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
"""
"""Runs its words in a session of their own, and ends them when its input ends."""

PUT = """set -eu
umask 077
directory=$(dirname "$1")
[ -d "$directory" ] || (umask 022 && mkdir -p -- "$directory")
new=$(mktemp "$1.XXXXXXXXXX")
trap 'rm -f -- "$new"' EXIT
cat >"$new"
[ "$(wc -c <"$new")" -eq "$3" ]
chmod "$2" "$new"
mv -f -- "$new" "$1"
"""
"""Writes its input to the path that is its first word, with the mode and the size in bytes of the next two."""
