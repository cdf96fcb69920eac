# Helpers of the host tests: a stand-in dokku host per test or per file, and the plugin under test in it.
#
#   standin_setup [--plugin]   makes a fresh host; --plugin installs the plugin of this checkout in it
#   standin_teardown           removes it
#   dokku, plugn, trigger      talk to it; `trigger` is `plugn trigger` as user dokku with dokku's environment
#   as_dokku COMMAND...        runs a command as user dokku with dokku's environment
#   make_plugin NAME           makes and enables a community plugin
#   entry PLUGIN NAME          gives a plugin an executable, its text from stdin
#
# Variables: STANDIN (a directory that everybody may enter, for the test's own files too), PREFIX (the host),
# DOKKU_ROOT and DOKKU_LIB_ROOT (its two trees).

HOST_TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$HOST_TESTS/../.." && pwd)

# An exported function has no identifier's name in the environment, and plugn complains about each of those.
mapfile -t exported < <(declare -Fx | sed -n 's/^declare -fx \(bats_.*\)/\1/p')
if [ "${#exported[@]}" -gt 0 ]; then export -nf "${exported[@]}"; fi

standin_setup() {
  local name
  # A dokku command that runs the tests must not lend them its environment.
  for name in $(compgen -e); do
    case $name in DOKKU_* | PLUGIN_* | SSH_USER | SSH_NAME | TMPDIR | DOCKER_BIN | BASH_ENV | BASH_BIN) unset "$name" ;; esac
  done
  for name in jq curl; do
    if ! command -v "$name" >/dev/null; then "$CHECKOUT/tests/rig/packages" "$name"; fi
  done
  STANDIN=$(mktemp -d "$(fast_directory)/standin.XXXXXX")
  chmod 755 "$STANDIN"
  mkdir "$STANDIN/root"
  export STANDIN PREFIX=$STANDIN/host HOME=$STANDIN/root
  export DOKKU_ROOT=$PREFIX/home DOKKU_LIB_ROOT=$PREFIX/lib
  "$CHECKOUT/tests/rig/dokku/install" "$PREFIX"
  if [[ ${1:-} == --plugin ]]; then install_plugin_under_test; fi
  cd "$STANDIN" || return 1
}

# A host is a thousand small files: in memory where programs may be run from there.
fast_directory() {
  if [[ -w /dev/shm ]] && ! findmnt -no OPTIONS --target /dev/shm | grep -qw noexec; then echo /dev/shm; else echo /tmp; fi
}

standin_teardown() {
  cd / || return 1
  if [[ ${STANDIN:-} == */standin.* ]]; then rm -rf "$STANDIN"; fi
}

dokku() {
  "$PREFIX/bin/dokku" "$@"
}

plugn() {
  PLUGIN_PATH=${PLUGIN_PATH-$DOKKU_LIB_ROOT/plugins} "$PREFIX/bin/plugn" "$@"
}

trigger() {
  dokku plugin:trigger "$@"
}

# dokku drops to its user for plugin:trigger, so a trigger of a plugin of ours is the way to its environment.
as_dokku() {
  if [[ ! -e $DOKKU_LIB_ROOT/plugins/enabled/zz-run ]]; then
    make_plugin zz-run
    # shellcheck disable=SC2016
    entry zz-run run-as-dokku <<<'#!/bin/sh
exec "$@"'
  fi
  trigger run-as-dokku "$@"
}

make_plugin() {
  local directory=$DOKKU_LIB_ROOT/plugins/available/$1
  mkdir -p "$directory/subcommands"
  printf '[plugin]\ndescription = "%s"\nversion = "0.1.0"\n[plugin.config]\n' "$1" >"$directory/plugin.toml"
  chown -R dokku:dokku "$directory"
  ln -s "$directory" "$DOKKU_LIB_ROOT/plugins/enabled/$1"
}

entry() {
  local file=$DOKKU_LIB_ROOT/plugins/available/$1/$2
  mkdir -p "$(dirname "$file")"
  cat >"$file"
  chmod 755 "$file"
}

# A git repository of what is in DIRECTORY, for plugin:install.
repository_of() {
  git -C "$1" init --quiet --initial-branch=master
  git -C "$1" add --all --force
  git -C "$1" -c user.name=test -c user.email=test@localhost commit --quiet --message test
}

# The working tree as it is, changes that are not committed included, as a repository of its own.
plugin_repository() {
  local copy=$STANDIN/plugin/dokku-scheduler-k3s
  mkdir -p "$copy"
  git -C "$CHECKOUT" ls-files -z --cached --others --exclude-standard |
    tar --create --directory "$CHECKOUT" --null --files-from - --ignore-failed-read 2>/dev/null |
    tar --extract --directory "$copy"
  repository_of "$copy"
  echo "file://$copy"
}

install_plugin_under_test() {
  local url
  url=$(plugin_repository)
  plugn uninstall scheduler-k3s
  rm -f "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  dokku plugin:install "$url"
}

# Lets PLUGIN answer the triggers by noting each call in $STANDIN/calls, as "name|argument|argument"; see `calls`.
record() {
  local plugin=$1 name
  shift
  if [[ ! -e $STANDIN/calls ]]; then install -m 666 /dev/null "$STANDIN/calls"; fi
  for name in "$@"; do
    entry "$plugin" "$name" <<EOT
#!/bin/sh
{ printf '%s' '$name'; for word in "\$@"; do printf '|%s' "\$word"; done; echo; } >>'$STANDIN/calls'
EOT
  done
}

# Prints the noted calls; with a pattern only those that match, without failing on none.
calls() {
  grep -E -- "${1:-}" "$STANDIN/calls" || true
}

# Prints what a program says that gets a terminal for its three streams; nobody types there.
on_terminal() {
  timeout --foreground 60 script --quiet --return --command "$(printf '%q ' "$@")" /dev/null </dev/null
}

# Prints what a command says on stderr, to the byte (bats' own separation cuts leading blanks); never fails.
stderr_of() {
  # shellcheck disable=SC2069
  "$@" 2>&1 >/dev/null || true
}
