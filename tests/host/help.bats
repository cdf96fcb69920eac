#!/usr/bin/env bats
# The help in all its forms, and what `commands` says to foreign words.

bats_require_minimum_version 1.5.0
load plugin_host

@test "bare, :help and the alias print the same" {
  expected=$(dokku scheduler-k3s:help)
  for word in scheduler-k3s k3s k3s:help; do
    run dokku "$word"
    [ "$status" -eq 0 ]
    [ "$output" = "$expected" ]
  done
}

@test "the text" {
  run --separate-stderr dokku scheduler-k3s:help
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$(head -n 5 <<<"$output")" = "Usage: dokku scheduler-k3s[:COMMAND]

Manage scheduler-k3s settings for an app

Additional commands:" ]
  [ "$(grep -c "Manage scheduler-k3s settings for an app" <<<"$output")" -eq 1 ]
  [ "$(grep -cF "scheduler-k3s:report [<app|--global>] [--format stdout|json] [<flag>]" <<<"$output")" -eq 1 ]
  [ "$(grep -cF "scheduler-k3s:set <app|--global> <property> (<value>)" <<<"$output")" -eq 1 ]
}

@test "every command that the help lists can be run, and the other way round" {
  listed=$(dokku scheduler-k3s:help | sed -n 's/^    scheduler-k3s:\([a-z0-9:-]*\) .*/\1/p' | sort)
  there=$(cd "$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s/subcommands" && find . -type f -printf '%f\n' | grep -v '^cluster-' | sort)
  [ -n "$listed" ]
  [ "$listed" = "$there" ]
}

@test "dokku help has one line for the plugin" {
  run dokku help
  [ "$status" -eq 0 ]
  [ "$(grep -c scheduler-k3s <<<"$output")" -eq 1 ]
  [[ $output == *"scheduler-k3s"*"Manage scheduler-k3s settings for an app"* ]]
}

@test "dokku help --all has one line for each command, in two columns" {
  run dokku help --all
  [ "$status" -eq 0 ]
  commands=$(dokku scheduler-k3s:help | grep -c '^    scheduler-k3s:')
  [ "$(grep -c '^ *scheduler-k3s:' <<<"$output")" -eq "$commands" ]
  grep -qE '^ *scheduler-k3s:set <app\|--global> <property> \(<value>\)  +Set or clear a property$' <<<"$output"
}

@test "the lines that dokku collects have exactly one comma and no blank before" {
  plugin=$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s
  run "$plugin/commands" help
  [ "$output" = "    scheduler-k3s, Manage scheduler-k3s settings for an app" ]
  run bash -c '"$0" help; true' "$plugin/commands" --all
  [ "${#lines[@]}" -gt 2 ]
  for line in "${lines[@]}"; do
    [[ $line =~ ^\ {4}scheduler-k3s:[^,]+,\ [^,]+$ ]]
  done
}

@test "foreign words are not ours" {
  for words in "logs web" "nosuch:cmd" "scheduler-k3s:nosuch" "help:me" ""; do
    # shellcheck disable=SC2086
    run "$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s/commands" $words
    [ "$status" -eq 10 ]
    [ -z "$output" ]
  done
  DOKKU_NOT_IMPLEMENTED_EXIT=7 run "$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s/commands" logs
  [ "$status" -eq 7 ]
}

@test "an unknown command is dokku's to refuse" {
  run --separate-stderr dokku scheduler-k3s:nosuch a
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  # shellcheck disable=SC2016
  [[ $stderr == *'`scheduler-k3s:nosuch a` is not a dokku command.'* ]]
}
