#!/usr/bin/env bats
# `--help` and wrong command lines, for whatever commands the plugin has.

bats_require_minimum_version 1.5.0
load plugin_host

setup() {
  mapfile -t commands < <(ls "$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s/subcommands")
  [ "${#commands[@]}" -gt 15 ]
}

@test "--help and -h show synopsis, flags and an example on one screen, and do nothing" {
  for command in "${commands[@]}"; do
    run --separate-stderr dokku "scheduler-k3s:$command" --help
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku scheduler-k3s:${command/#cluster-/cluster:}"*"Example:"*"  dokku scheduler-k3s:"* ]]
    [ "$(wc -l <<<"$stderr")" -le 24 ]
    [ "$(wc -L <<<"$stderr")" -le 80 ]
  done
  expected=$stderr
  run --separate-stderr dokku "scheduler-k3s:$command" -h
  [ "$status" -eq 0 ]
  [ "$stderr" = "$expected" ]
  [ ! -e "$DOKKU_LIB_ROOT/config/scheduler-k3s/--global" ]
}

@test "an unknown flag is refused, with the nearest that there is" {
  for command in "${commands[@]}"; do
    case $command in report | charts:report) continue ;; esac # theirs are questions for a value
    run --separate-stderr dokku "scheduler-k3s:$command" --nonsense
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku "*" !     unknown flag: --nonsense" ]]
    flag=$(dokku "scheduler-k3s:$command" --help 2>&1 | grep -oPm 1 '^  --\K[a-z0-9-]+') || continue
    run --separate-stderr dokku "scheduler-k3s:$command" "--${flag}x"
    [ "$status" -eq 2 ]
    [[ $stderr == *" !     unknown flag: --${flag}x, did you mean --$flag?" ]]
  done
}

@test "a surplus word is refused, with the flag that may be meant" {
  for command in "${commands[@]}"; do
    run --separate-stderr dokku "scheduler-k3s:$command" a b c d
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku "*" !     Unexpected argument: "[abcd] ]]
  done
  run --separate-stderr dokku scheduler-k3s:profiles:list format json
  [[ $stderr == *" !     Unexpected argument: format, did you mean --format?" ]]
}
