#!/usr/bin/env bats
# scheduler-k3s:profiles:add, profiles:list and profiles:remove as dokku calls them, without a cluster.

bats_require_minimum_version 1.5.0
load plugin_host

@test "a profile is stored as one JSON object" {
  run --separate-stderr dokku scheduler-k3s:profiles:add edge-workers --role worker --insecure-allow-unknown-hosts --taint-scheduling --kubelet-args max-pods=150
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$output" = "-----> Node profile edge-workers added" ]
  file=$STORE/--global/node-profile-edge-workers.json
  [ "$(cat "$file")" = '{"name":"edge-workers","role":"worker","allow_unknown_hosts":true,"taint_scheduling":true,"kubelet_args":["max-pods=150"]}' ]
  [ "$(stat -c '%a %U:%G' "$file")" = "600 dokku:dokku" ]
}

@test "adding again replaces the whole profile" {
  dokku scheduler-k3s:profiles:add a --role server --taint-scheduling
  dokku scheduler-k3s:profiles:add a
  [ "$(cat "$STORE/--global/node-profile-a.json")" = '{"name":"a","role":"worker"}' ]
}

@test "kubelet arguments come separated, repeated and quoted" {
  dokku scheduler-k3s:profiles:add a --kubelet-args v=2,max-pods=9 --kubelet-args '"eviction-hard=memory.available<200Mi,nodefs.available<10%"'
  [ "$(cat "$STORE/--global/node-profile-a.json")" = '{"name":"a","role":"worker","kubelet_args":["v=2","max-pods=9","eviction-hard=memory.available<200Mi,nodefs.available<10%"]}' ]
  dokku scheduler-k3s:profiles:add a --kubelet-args 'eviction-hard=memory.available<200Mi,nodefs.available<10%,v=2'
  [ "$(cat "$STORE/--global/node-profile-a.json")" = '{"name":"a","role":"worker","kubelet_args":["eviction-hard=memory.available<200Mi,nodefs.available<10%","v=2"]}' ]
  run dokku scheduler-k3s:profiles:add b --kubelet-args 'nodefs.available<10%'
  [ "$status" -eq 1 ]
  [[ $output == " !     Invalid kubelet-args: nodefs.available<10%, must be key=value "*"for example max-pods=150; "*"double quotes"* ]]
  [ ! -e "$STORE/--global/node-profile-b.json" ]
}

@test "refusals in their order" {
  run dokku scheduler-k3s:profiles:add --role other
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid role: other" ]
  for command in add remove; do
    run dokku "scheduler-k3s:profiles:$command"
    [ "$status" -eq 1 ]
    [ "$output" = " !     Missing profile name" ]
    for name in -a a- a_b ../a "a b"; do
      run dokku "scheduler-k3s:profiles:$command" -- "$name"
      [ "$status" -eq 1 ]
      [ "$output" = " !     Invalid profile name, must only contain alphanumeric characters and dashes and cannot start with a dash: $name" ]
    done
    long=$(printf 'a%.0s' {1..33})
    run dokku "scheduler-k3s:profiles:$command" "$long"
    [ "$status" -eq 1 ]
    [ "$output" = " !     Profile name is too long, must be less than 32 characters: $long" ]
    run dokku "scheduler-k3s:profiles:$command" a b
    [ "$status" -eq 2 ]
  done
  [ ! -e "$STORE/--global" ]
  dokku scheduler-k3s:profiles:add "${long:1}"
}

@test "the list, sorted by name" {
  run dokku scheduler-k3s:profiles:list
  [ "$output" = "name  role" ]
  run dokku scheduler-k3s:profiles:list --format json
  [ "$output" = '[]' ]
  dokku scheduler-k3s:profiles:add workers --kubelet-args max-pods=150
  dokku scheduler-k3s:profiles:add first --role server --taint-scheduling
  as_dokku touch "$STORE/--global/node-profile-note.txt"
  run dokku scheduler-k3s:profiles:list
  [ "$output" = "name     role
first    server
workers  worker" ]
  run dokku scheduler-k3s:profiles:list --format json
  [ "$output" = '[{"name":"first","role":"server","taint_scheduling":true},{"kubelet_args":["max-pods=150"],"name":"workers","role":"worker"}]' ]
  run dokku scheduler-k3s:profiles:list --format yaml
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid format: yaml" ]
}

@test "a damaged profile is named" {
  dokku scheduler-k3s:profiles:add good
  as_dokku sh -c "echo nonsense >$STORE/--global/node-profile-bad.json"
  run dokku scheduler-k3s:profiles:list
  [ "$status" -eq 1 ]
  [[ $output == " !     Unable to unmarshal node profile: bad: "* ]]
  dokku scheduler-k3s:profiles:remove bad
  run dokku scheduler-k3s:profiles:list
  [ "$status" -eq 0 ]
}

@test "removing takes the sysctls along, and may be repeated" {
  dokku scheduler-k3s:profiles:add a
  dokku scheduler-k3s:node-sysctls:set vm.swappiness 1 --profile a
  for _ in 1 2; do
    run --separate-stderr dokku scheduler-k3s:profiles:remove a
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "$output" = "-----> Node profile a removed" ]
    [ -z "$(ls "$STORE/--global")" ]
  done
}

@test "help" {
  for command in add list remove; do
    run --separate-stderr dokku "scheduler-k3s:profiles:$command" --help
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku scheduler-k3s:profiles:$command"* ]]
  done
}
