#!/usr/bin/env bash
set -eu

usage() {
	cat <<'TEXT'
Usage: install.sh [URL]
       install.sh --restore
       install.sh --help

Puts this plugin in the place of the scheduler-k3s plugin that comes with dokku, as root.

dokku refuses to replace a plugin of its own, so this script takes the links of dokku's plugin away, which leaves its
files alone, and installs this one under the same name. Apps, properties and what runs in the cluster stay as they are.
A host without the plugin would take every deploy of a k3s app for done, so on any failure dokku's own comes back.

URL        git repository to install from; else the origin of the clone that this script is in
--restore  name the apps that dokku's own scheduler-k3s could not deploy any more, put it back and remove this plugin;
           its tools under /opt stay

It can be repeated at any time. Later versions come with: dokku plugin:update scheduler-k3s
TEXT
}

name=scheduler-k3s
lib=${DOKKU_LIB_ROOT:-${DOKKU_LIB_PATH:-/var/lib/dokku}}
core=$lib/core-plugins/available/$name
core_enabled=$lib/core-plugins/enabled/$name
available=$lib/plugins/available/$name
enabled=$lib/plugins/enabled/$name
scratch=
switching=
enable=yes
enable_core=yes

step() { echo "-----> $*"; }
detail() { echo "       $*"; }
fail() {
	echo " !     $*" >&2
	exit 1
}

check_host() {
	[ "$(id -u)" = 0 ] || fail "This script must be run as root"
	command -v dokku >/dev/null || fail "There is no dokku on this host"
	command -v git >/dev/null || fail "There is no git on this host"
	[ -d "$lib/plugins/enabled" ] || fail "There is no $lib/plugins/enabled. DOKKU_LIB_ROOT can name another place than $lib"
	local version
	version=$(dokku version)
	version=${version##* }
	case $version in
	0.[0-9] | 0.[0-9].* | 0.[12][0-9] | 0.[12][0-9].* | 0.3[0-7] | 0.3[0-7].*)
		fail "dokku $version is too old: this plugin needs 0.38 or later"
		;;
	[0-9]*.[0-9]*) ;;
	*) fail "Unable to understand the answer of 'dokku version': $version" ;;
	esac
	/usr/bin/python3 -IS -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
		fail "/usr/bin/python3 is missing or older than 3.10, which this plugin needs"
}

# What dokku gives to its triggers, for the parts of the plugin that run before it is one.
dokku_environment() {
	export DOKKU_LIB_ROOT=$lib PLUGIN_PATH=$lib/plugins
	export PLUGIN_AVAILABLE_PATH=$lib/plugins/available PLUGIN_ENABLED_PATH=$lib/plugins/enabled
	export PLUGIN_CORE_PATH=$lib/core-plugins PLUGIN_CORE_AVAILABLE_PATH=$lib/core-plugins/available
	export PLUGIN_CORE_ENABLED_PATH=$lib/core-plugins/enabled
}

# Read from the file: git itself refuses a clone that belongs to another user, and dokku owns its plugins.
origin_of() { git config --file "$1/.git/config" --get remote.origin.url 2>/dev/null; }

repository_url() {
	local url=$1 here
	if [ -z "$url" ]; then
		here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
		url=$(origin_of "$here") ||
			fail "Name the git repository to install from: this script is not in a clone of one"
	fi
	if [ -d "$url" ]; then url=file://$(cd "$url" && pwd); fi
	echo "$url"
}

is_ours() { [ -d "$enabled/.git" ] && [ ! -L "$available" ] && [ -x "$enabled/scheduler-deploy" ]; }
is_core() { [ -d "$enabled" ] && [ "$(readlink -f "$enabled")" = "$(readlink -f "$core")" ]; }

# An administrator may have disabled dokku's plugin; a run of this script that was killed leaves no links at all.
remember_links() {
	if [ -L "$available" ]; then
		[ -L "$enabled" ] || enable=
		[ -L "$core_enabled" ] || enable_core=
	fi
}

put_core_back() {
	[ -d "$core" ] || fail "There is no $core to go back to. Install the dokku package again"
	rm -rf "$enabled" "$available"
	ln -s "$core" "$available"
	[ -z "$enable" ] || ln -s "$available" "$enabled"
	[ -z "$enable_core" ] || ln -sfn "$core" "$core_enabled"
}

finish() {
	local code=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$scratch" ] || rm -rf "$scratch"
	if [ -n "$switching" ]; then
		echo " !     This failed. Putting dokku's own $name back" >&2
		put_core_back
		[ "$code" != 0 ] || code=1
	fi
	exit "$code"
}

verify() {
	step "Checking that dokku runs the plugin"
	[ "$(dokku scheduler-k3s:report --global --scheduler-k3s-computed-kubeconfig-path)" ] ||
		fail "'dokku scheduler-k3s:report --global' did not answer"
	[ -x "$enabled/scheduler-deploy" ] || fail "$enabled does not deploy"
}

tell_what_differs() {
	[ -f "$enabled/lib/scheduler_k3s/operations/go_back.py" ] || return 0
	/usr/bin/python3 -IS -c 'import sys
sys.path.insert(0, sys.argv[1])
from scheduler_k3s import entry
from scheduler_k3s.operations.go_back import tell
entry.run(tell)' "$enabled/lib" || true
}

restore() {
	if is_core; then
		detail "dokku's own $name is already in place"
	else
		tell_what_differs
		step "Putting dokku's own $name back"
	fi
	put_core_back
	dokku plugin:installed "$name" || fail "dokku does not know $name"
	detail "This plugin's tools can be removed with: rm -rf ${DOKKU_SCHEDULER_K3S_TOOLS:-/opt/dokku-scheduler-k3s}"
}

complete() {
	local origin
	origin=$(origin_of "$available")
	if [ -n "$1" ] && [ "$(repository_url "$1")" != "$origin" ]; then
		fail "The plugin is already installed from $origin. Go back first, with: install.sh --restore"
	fi
	step "The plugin is already installed from $origin; completing what is missing"
	"$available/dependencies"
	rm -f "$core_enabled"
	dokku plugin:install
	verify
}

switch() {
	local url=$1
	scratch=$(mktemp -d)
	step "Fetching the plugin from $url, aside"
	git clone --quiet "$url" "$scratch/plugin"
	step "Installing its tools: helm, kubectl and Python packages of its own"
	"$scratch/plugin/dependencies"
	step "Taking the links of dokku's own $name away; its files in $core stay"
	remember_links
	switching=1
	rm -rf "$enabled" "$available"
	rm -f "$core_enabled"
	step "Installing the plugin in its place"
	dokku plugin:install "$url" --name "$name"
	verify
	switching=
	step "Done. dokku deploys k3s apps with this plugin now"
}

case ${1:-} in
-h | --help)
	usage
	exit 0
	;;
esac
[ $# -le 1 ] || fail "Unexpected argument: $2"
case ${1:-} in --restore) ;; -*) fail "unknown flag: $1. See: install.sh --help" ;; esac

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
check_host
dokku_environment
if [ "${1:-}" = --restore ]; then
	restore
elif is_ours; then
	complete "${1:-}"
else
	url=$(repository_url "${1:-}")
	cd /
	switch "$url"
fi
