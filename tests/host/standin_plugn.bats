# The layout of plugins, and how plugn runs a trigger.
# shellcheck disable=SC2016,SC2164,SC1003
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  standin_setup
}

teardown_file() {
  standin_teardown
}

setup() {
  export PLUGIN_PATH=$BATS_TEST_TMPDIR/plugins
  mkdir -p "$PLUGIN_PATH/available" "$PLUGIN_PATH/enabled"
  touch "$PLUGIN_PATH/config.toml"
  cd "$STANDIN"
}

# A plugin below PLUGIN_PATH whose trigger t is the script on stdin.
plugin() {
  local directory=$PLUGIN_PATH/available/$1
  mkdir "$directory"
  printf '[plugin]\ndescription = "d"\nversion = "0.1.0"\n[plugin.config]\n' >"$directory/plugin.toml"
  cat >"$directory/t"
  chmod 755 "$directory/t"
  ln -s "$directory" "$PLUGIN_PATH/enabled/$1"
}

@test "core plugins: files, two links each and plugn's link, an empty marker" {
  local lib=$DOKKU_LIB_ROOT
  [ "$(readlink "$lib/core-plugins/enabled/scheduler-k3s")" = "$lib/core-plugins/available/scheduler-k3s" ]
  [ "$(readlink "$lib/plugins/available/scheduler-k3s")" = "$lib/core-plugins/available/scheduler-k3s" ]
  [ "$(readlink "$lib/plugins/enabled/scheduler-k3s")" = "$lib/plugins/available/scheduler-k3s" ]
  [ -f "$lib/core-plugins/available/scheduler-k3s/.core" ]
  [ ! -s "$lib/core-plugins/available/scheduler-k3s/.core" ]
  [ -f "$lib/plugins/config.toml" ]
  [ -f "$lib/core-plugins/config.toml" ]
}

@test "every core plugin has a complete plugin.toml and executable entry points" {
  local plugin file
  for plugin in "$DOKKU_LIB_ROOT"/plugins/enabled/*; do
    grep -qx '\[plugin.config\]' "$plugin/plugin.toml"
    for file in "$plugin"/* "$plugin"/subcommands/*; do
      case $file in *.toml | *.txt | *property-functions | */subcommands | */subcommands/\*) continue ;; esac
      [ -x "$file" ] || { echo "$file"; false; }
    done
  done
}

@test "plugins run in alphabetical order with the given arguments, outputs joined" {
  plugin b <<<'#!/bin/sh
printf "b<%s>" "$@"'
  plugin a <<<'#!/bin/sh
printf "a<%s>" "$@"'
  run --separate-stderr plugn trigger t 'x y' '' '\n$HOME'
  [ "$status" -eq 0 ]
  [ "$output" = 'a<x y>a<>a<\n$HOME>b<x y>b<>b<\n$HOME>' ]
  [ -z "$stderr" ]
}

@test "nobody listens: success without a word" {
  run plugn trigger t
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "a file that is not executable is skipped aloud" {
  plugin a <<<'#!/bin/sh
echo a'
  plugin b <<<'#!/bin/sh
echo b'
  chmod 644 "$PLUGIN_PATH/available/a/t"
  run --separate-stderr plugn trigger t
  [ "$status" -eq 0 ]
  [ "$output" = b ]
  [ "$stderr" = "Trigger 't' is not executable, skipping plugin (a)" ]
}

@test "a directory of the trigger's name is no trigger" {
  plugin a <<<'#!/bin/sh
echo a'
  mkdir -p "$PLUGIN_PATH/available/a/triggers" "$PLUGIN_PATH/available/a/d"
  mv "$PLUGIN_PATH/available/a/t" "$PLUGIN_PATH/available/a/triggers/t"
  run plugn trigger t
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run plugn trigger d
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "the first failure stops the walk and is the exit status" {
  plugin a <<<'#!/bin/sh
echo a'
  plugin b <<<'#!/bin/sh
exit 42'
  plugin c <<<'#!/bin/sh
echo c'
  run plugn trigger t
  [ "$status" -eq 42 ]
  [ "$output" = a ]
}

@test "stdin goes to the first that reads it" {
  plugin a <<<'#!/bin/sh
echo "a:$(cat)"'
  plugin b <<<'#!/bin/sh
echo "b:$(cat)"'
  output=$(echo payload | plugn trigger t)
  [ "$output" = $'a:payload\nb:' ]
}

@test "backslashes in values of the environment are interpreted" {
  plugin a <<<'#!/bin/sh
printf "%s|" "$ONE" "$TWO" "$THREE" "$FOUR" "$FIVE"'
  output=$(ONE='a\nb' TWO='\\' THREE="it's \$HOME \`id\` \"q\"" FOUR='end\' FIVE='tab\there' plugn trigger t)
  [ "$output" = $'a\nb|\\|it\'s $HOME `id` "q"|end\\|tab\there|' ]
}

@test "names that are no identifiers are dropped aloud" {
  plugin a <<<'#!/bin/sh
env'
  run --separate-stderr env A.B=1 GOOD=1 PLUGIN_PATH="$PLUGIN_PATH" "$PREFIX/bin/plugn" trigger t
  [ "$status" -eq 0 ]
  [[ $output == *GOOD=1* ]]
  [[ $output != *A.B* ]]
  [[ $stderr == *'export: '*'not a valid identifier'* ]]
}

@test "plugn's own variables are there, BASH_ENV is not" {
  plugin a <<<'#!/bin/sh
env'
  run env BASH_ENV=/dev/null PLUGIN_PATH="$PLUGIN_PATH" "$PREFIX/bin/plugn" trigger t
  [[ $output == *PLUGN_VERSION=0.17* ]]
  [[ $output == *SELF=* && $output == *SELF_EXECUTABLE=* ]]
  [[ $output != *BASH_ENV* ]]
}

@test "no descriptor of plugn's own reaches the listener" {
  plugin a <<<'#!/bin/sh
ls /proc/self/fd'
  [ "$(plugn trigger t)" = "$("$PLUGIN_PATH/enabled/a/t")" ]
}

@test "the working directory is inherited, and a .plugn in it replaces PLUGIN_PATH" {
  plugin a <<<'#!/bin/sh
pwd'
  mkdir "$BATS_TEST_TMPDIR/tree"
  cd "$BATS_TEST_TMPDIR/tree"
  [ "$(plugn trigger t)" = "$BATS_TEST_TMPDIR/tree" ]
  mkdir -p "$BATS_TEST_TMPDIR/other/enabled/z"
  touch "$BATS_TEST_TMPDIR/other/config.toml"
  printf '#!/bin/sh\necho other\n' >"$BATS_TEST_TMPDIR/other/enabled/z/t"
  printf '[plugin.config]\n' >"$BATS_TEST_TMPDIR/other/enabled/z/plugin.toml"
  chmod 755 "$BATS_TEST_TMPDIR/other/enabled/z/t"
  echo "$BATS_TEST_TMPDIR/other" >.plugn
  [ "$(plugn trigger t)" = other ]
}

@test "without PLUGIN_PATH: exit 2" {
  run env -u PLUGIN_PATH "$PREFIX/bin/plugn" trigger t
  [ "$status" -eq 2 ]
}

@test "needs a home that it can write to, unless BASH_BIN is set" {
  plugin a <<<'#!/bin/sh
echo a'
  run env HOME=/proc/nowhere PLUGIN_PATH="$PLUGIN_PATH" "$PREFIX/bin/plugn" trigger t
  [ "$status" -ne 0 ]
  run env HOME=/proc/nowhere BASH_BIN=/bin/bash PLUGIN_PATH="$PLUGIN_PATH" "$PREFIX/bin/plugn" trigger t
  [ "$output" = a ]
  HOME=$BATS_TEST_TMPDIR plugn trigger t
  [ -x "$BATS_TEST_TMPDIR/.basher/bash" ]
}

@test "needs a temporary directory that it can write to, and leaves nothing there" {
  plugin a <<<'#!/bin/sh
echo a'
  run env TMPDIR=/proc/nowhere PLUGIN_PATH="$PLUGIN_PATH" "$PREFIX/bin/plugn" trigger t
  [ "$status" -ne 0 ]
  mkdir "$BATS_TEST_TMPDIR/tmp"
  TMPDIR=$BATS_TEST_TMPDIR/tmp plugn trigger t
  [ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
}

@test "without [plugin.config]: a panic on stderr, and the trigger runs" {
  plugin a <<<'#!/bin/sh
echo a'
  printf '[plugin]\ndescription = "d"\nversion = "0.1.0"\n' >"$PLUGIN_PATH/available/a/plugin.toml"
  run --separate-stderr plugn trigger t
  [ "$status" -eq 0 ]
  [ "$output" = a ]
  [[ $stderr == *panic* && $stderr == *goroutine* ]]
}

@test "enable, list, disable" {
  plugin a <<<'#!/bin/sh
echo a'
  [[ $(plugn list) == *a*0.1.0*enabled*d* ]]
  plugn disable a
  [ ! -e "$PLUGIN_PATH/enabled/a" ]
  [[ $(plugn list) == *disabled* ]]
  plugn enable a
  [ "$(plugn trigger t)" = a ]
  run plugn enable nosuch
  [ "$status" -ne 0 ]
}

@test "enabling what is enabled drops a stray link inside the plugin" {
  plugin a <<<'#!/bin/sh
echo a'
  plugn enable a
  [ -L "$PLUGIN_PATH/available/a/a" ]
}

@test "uninstall removes links, not what they lead to" {
  plugin a <<<'#!/bin/sh
echo a'
  mv "$PLUGIN_PATH/available/a" "$BATS_TEST_TMPDIR/a"
  ln -s "$BATS_TEST_TMPDIR/a" "$PLUGIN_PATH/available/a"
  plugn uninstall a
  [ ! -e "$PLUGIN_PATH/enabled/a" ]
  [ ! -L "$PLUGIN_PATH/available/a" ]
  [ -x "$BATS_TEST_TMPDIR/a/t" ]
}

@test "a missing scheduler plugin is a silent success" {
  unset PLUGIN_PATH
  dokku apps:create lost
  dokku scheduler:set lost selected nowhere
  dokku ps:restart lost
  [ "$(cat "$DOKKU_LIB_ROOT/config/common/lost/deployed")" = true ]
  run dokku run lost true
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "dokku's own plugins come before and after the schedulers as on a real host" {
  cd "$DOKKU_LIB_ROOT/plugins/enabled"
  local names
  names=$(echo *)
  [[ $names == 20_events*app-json*certs*common*config*cron*domains*network*nginx-vhosts*ports*ps*registry* ]]
  [[ $names == *registry*' scheduler '*scheduler-docker-local*scheduler-k3s*scheduler-null*storage* ]]
}
