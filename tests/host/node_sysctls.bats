#!/usr/bin/env bats
# scheduler-k3s:node-sysctls:set and node-sysctls:report as dokku calls them, without a cluster.

bats_require_minimum_version 1.5.0
load plugin_host

@test "a sysctl is stored, silently when there is no cluster" {
  run --separate-stderr dokku scheduler-k3s:node-sysctls:set vm.max_map_count 262144
  [ "$status" -eq 0 ]
  [ -z "$output$stderr" ]
  [ "$(cat "$STORE/--global/node-sysctls.global")" = '{"vm.max_map_count":"262144"}' ]
  [ "$(stat -c '%a %U:%G' "$STORE/--global/node-sysctls.global")" = "600 dokku:dokku" ]
  dokku scheduler-k3s:node-sysctls:set --global kernel.sched_rt_runtime_us -1
  [ "$(cat "$STORE/--global/node-sysctls.global")" = '{"kernel.sched_rt_runtime_us":"-1","vm.max_map_count":"262144"}' ]
}

@test "removing warns that the nodes keep the value until they reboot" {
  dokku scheduler-k3s:node-sysctls:set vm.swappiness 1
  for value in missing ""; do
    if [ "$value" = missing ]; then set --; else set -- "$value"; fi
    run --separate-stderr dokku scheduler-k3s:node-sysctls:set vm.swappiness "$@"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(stderr_of dokku scheduler-k3s:node-sysctls:set vm.swappiness "$@")" = " !     Removing vm.swappiness stops dokku managing it, but does not restore the previous value on affected nodes until they reboot" ]
    [ "$(cat "$STORE/--global/node-sysctls.global")" = '{}' ]
  done
}

@test "a profile has its own" {
  dokku scheduler-k3s:profiles:add big
  dokku scheduler-k3s:node-sysctls:set vm.swappiness 1 --profile big
  [ "$(cat "$STORE/--global/node-sysctls.profile.big")" = '{"vm.swappiness":"1"}' ]
}

@test "refusals in their order" {
  run dokku scheduler-k3s:node-sysctls:set --global --profile nope
  [ "$status" -eq 1 ]
  [ "$output" = " !     Only one of --global and --profile may be specified" ]
  run dokku scheduler-k3s:node-sysctls:set --profile nope
  [ "$status" -eq 1 ]
  [ "$output" = " !     Missing sysctl name" ]
  for profile in nope ../x a/b; do
    run dokku scheduler-k3s:node-sysctls:set "a b" 1 --profile "$profile"
    [ "$status" -eq 1 ]
    [ "$output" = " !     Node profile $profile not found" ]
  done
  for name in vm "vm.x;id" 'vm.$(id)' vm/x "vm. x" Vm.x; do
    run dokku scheduler-k3s:node-sysctls:set "$name" 1
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid sysctl name: $name, must be "*"for example vm.max_map_count" ]]
  done
  for value in '1"; id #' '$(id)' '`id`' $'1\n2' "1'"; do
    run dokku scheduler-k3s:node-sysctls:set vm.x "$value"
    [ "$status" -eq 1 ]
    [[ ${lines[0]} == " !     Invalid value of vm.x: "* ]]
    [[ $output == *"for example 262144" ]]
  done
  run dokku scheduler-k3s:node-sysctls:set net.core.somaxconn 1024
  [ "$status" -eq 1 ]
  [[ $output == *"for each pod"*"docker-options:add APP deploy '--sysctl net.core.somaxconn=VALUE'" ]]
  run dokku scheduler-k3s:node-sysctls:set vm.x 1 2
  [ "$status" -eq 2 ]
  [ ! -e "$STORE/--global" ]
}

@test "the report shows what the nodes of each scope get" {
  run dokku scheduler-k3s:node-sysctls:report
  [ "$status" -eq 0 ]
  [ "$output" = "scope  sysctl  value" ]
  run dokku scheduler-k3s:node-sysctls:report --format json
  [ "$output" = '{"--global":{}}' ]
  dokku scheduler-k3s:profiles:add zone
  dokku scheduler-k3s:profiles:add big
  dokku scheduler-k3s:node-sysctls:set vm.swappiness 9 --profile big
  run dokku scheduler-k3s:node-sysctls:report --format json
  [ "$output" = '{"--global":{},"big":{"vm.swappiness":"9"},"zone":{}}' ]
  dokku scheduler-k3s:node-sysctls:set vm.swappiness 1
  dokku scheduler-k3s:node-sysctls:set vm.max_map_count 262144
  run dokku scheduler-k3s:node-sysctls:report
  [ "$output" = "scope     sysctl            value
--global  vm.max_map_count  262144
--global  vm.swappiness     1
big       vm.max_map_count  262144
big       vm.swappiness     9
zone      vm.max_map_count  262144
zone      vm.swappiness     1" ]
  run dokku scheduler-k3s:node-sysctls:report --format yaml
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid format: yaml" ]
}

@test "a file that holds no map is named" {
  as_dokku mkdir -p "$STORE/--global"
  as_dokku sh -c "echo nonsense >$STORE/--global/node-sysctls.global"
  run dokku scheduler-k3s:node-sysctls:report
  [ "$status" -eq 1 ]
  [[ $output == " !     Unable to parse scheduler-k3s map property --global.node-sysctls.global as JSON: "* ]]
}

@test "help" {
  for command in set report; do
    run --separate-stderr dokku "scheduler-k3s:node-sysctls:$command" --help
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku scheduler-k3s:node-sysctls:$command "* ]]
  done
}
