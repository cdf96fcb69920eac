#!/bin/bash
# What plugn does in its private bash. Arguments: the descriptor to close, plugn's own path, plugn's command line.
set -eo pipefail

descriptor=$1
exec {descriptor}<&-
unset BASH_ENV
export SELF=$2 SELF_EXECUTABLE=$2 PLUGN_VERSION=0.17.0
shift 2

fail() {
  echo "$1" >&2
  exit 1
}

# The helper that reads a plugin's settings dies without this table; plugn goes on regardless.
read_config() {
  if [[ -r $1/plugin.toml && $(<"$1/plugin.toml") == *'[plugin.config]'* ]]; then return; fi
  printf '%s\n' 'panic: plugin.toml has no [plugin.config] table' '' 'goroutine 1 [running]:' 'main.TomlExport(...)' >&2
}

trigger() {
  local name=$1 plugin
  shift
  for plugin in "$PLUGIN_PATH"/enabled/*; do
    if [[ ! -f $plugin/$name ]]; then continue; fi
    if [[ ! -x $plugin/$name ]]; then
      echo "Trigger '$name' is not executable, skipping plugin (${plugin##*/})" >&2
      continue
    fi
    read_config "$plugin"
    "$plugin/$name" "$@"
  done
}

install_plugin() {
  local url=$1 name=${2:-} target origin
  if [[ ! $name ]]; then name=$(basename "${url%.git}"); fi
  target=$PLUGIN_PATH/available/$name
  case $url in
    *.tar.gz | *.tgz)
      mkdir -p "$target"
      curl -sSfL "$url" | tar -xz -C "$target"
      return
      ;;
  esac
  if [[ ! -d $target ]]; then
    git clone -q "$url" "$target"
  elif [[ ! -e $target/.git ]]; then
    fail "$name is already installed, but it does not seem to be a git repository"
  else
    origin=$(git -c safe.directory='*' -C "$target" config remote.origin.url)
    if [[ $origin != "$url" ]]; then fail "$name is already installed from $origin"; fi
    echo "$name is already installed"
  fi
}

enable() {
  if [[ ! -d $PLUGIN_PATH/available/$1 ]]; then fail "Plugin $1 is not installed"; fi
  ln -fs "$PLUGIN_PATH/available/$1" "$PLUGIN_PATH/enabled/$1"
}

disable() {
  rm -f "$PLUGIN_PATH/enabled/$1"
}

# Leaves the value of a line `name = "value"` of the plugin's plugin.toml in REPLY.
field() {
  local line
  REPLY=
  while IFS= read -r line; do
    if [[ $line =~ ^$1\ *=\ *\"(.*)\" ]]; then
      REPLY=${BASH_REMATCH[1]}
      return
    fi
  done <"$2/plugin.toml"
}

list() {
  local plugin name state version
  for plugin in "$PLUGIN_PATH"/available/*; do
    if [[ ! -r $plugin/plugin.toml ]]; then continue; fi
    name=${plugin##*/}
    state=disabled
    if [[ -e $PLUGIN_PATH/enabled/$name ]]; then state=enabled; fi
    field version "$plugin"
    version=$REPLY
    field description "$plugin"
    printf '  %-20s %-10s %-9s %s\n' "$name" "$version" "$state" "$REPLY"
  done
}

if [[ ! -e $PLUGIN_PATH/config.toml ]]; then fail "$PLUGIN_PATH/config.toml is missing"; fi
command=${1:-help}
if (($#)); then shift; fi
case $command in
  trigger) trigger "$@" ;;
  install) install_plugin "$@" ;;
  enable) enable "$1" ;;
  disable) disable "$1" ;;
  uninstall)
    disable "$1"
    rm -rf "${PLUGIN_PATH:?}/available/$1"
    ;;
  list) list ;;
  version) echo "$PLUGN_VERSION" ;;
  *) fail "Usage: plugn trigger|install|enable|disable|uninstall|list|version" ;;
esac
