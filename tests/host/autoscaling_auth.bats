#!/usr/bin/env bats
# scheduler-k3s:autoscaling-auth:set and autoscaling-auth:report as dokku calls them, without a cluster.

bats_require_minimum_version 1.5.0
APPS="web api"
load plugin_host

@test "each key is a private property, others stay" {
  run --separate-stderr dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata apiKey=1234567890 --metadata appKey=a,b
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$output" = "-----> Trigger authentication settings saved
       Resources will be created or updated on next deploy" ]
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata apiKey=new
  [ "$(cat "$STORE/web/trigger-auth.datadog.apiKey")" = new ]
  [ "$(cat "$STORE/web/trigger-auth.datadog.appKey")" = a,b ]
  [ "$(stat -c '%a %U:%G' "$STORE/web/trigger-auth.datadog.apiKey")" = "600 dokku:dokku" ]
}

@test "a value with more equal signs is a list of pairs" {
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata 'a=1,b=2'
  [ "$(cat "$STORE/web/trigger-auth.datadog.a")" = 1 ]
  [ "$(cat "$STORE/web/trigger-auth.datadog.b")" = 2 ]
  run dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata none
  [ "$status" -eq 2 ]
  [[ $output == *"must be formatted as key=value"* ]]
}

@test "without metadata the trigger is forgotten, silently" {
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata a=1 --metadata b=2
  dokku scheduler-k3s:autoscaling-auth:set web kafka --metadata a=1
  for _ in 1 2; do
    run --separate-stderr dokku scheduler-k3s:autoscaling-auth:set web datadog
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
  done
  [ "$(ls "$STORE/web")" = trigger-auth.kafka.a ]
}

@test "refusals in their order, before anything is stored" {
  run dokku scheduler-k3s:autoscaling-auth:set nope
  [ "$status" -eq 20 ]
  [ "$output" = " !     App nope does not exist" ]
  run dokku scheduler-k3s:autoscaling-auth:set web
  [ "$status" -eq 1 ]
  [ "$output" = " !     Missing trigger type argument" ]
  run dokku scheduler-k3s:autoscaling-auth:set --global
  [ "$status" -eq 1 ]
  [ "$output" = " !     Missing trigger type argument" ]
  for trigger in ../api a.b Datadog "a b"; do
    run dokku scheduler-k3s:autoscaling-auth:set web "$trigger" --metadata a=1
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid trigger type: $trigger, must be "*"for example datadog" ]]
  done
  for key in a/b .. "a b" ""; do
    run dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata good=1 --metadata "$key=canary"
    [ "$status" -eq 1 ]
    [[ $output == " !     Unable to set property: "*"for example apiKey" ]]
    [[ $output != *canary* ]]
  done
  run dokku scheduler-k3s:autoscaling-auth:set web datadog surplus --metadata a=1
  [ "$status" -eq 2 ]
  [ ! -e "$STORE/web" ]
}

@test "without a reachable cluster the global settings are stored and the command fails" {
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/none"
  run --separate-stderr dokku scheduler-k3s:autoscaling-auth:set --global datadog --metadata apiKey=canary
  [ "$status" -eq 1 ]
  [ "$output" = "-----> Trigger authentication settings saved" ]
  [[ $stderr == *"!     Unable to create helm agent: Unable to create kubernetes client: "* ]]
  [[ $stderr != *canary* ]]
  [ "$(cat "$STORE/--global/trigger-auth.datadog.apiKey")" = canary ]
  run dokku scheduler-k3s:autoscaling-auth:set datadog --global
  [ "$status" -eq 1 ]
  [ ! -e "$STORE/--global/trigger-auth.datadog.apiKey" ]
}

@test "the text report hides the keys unless asked" {
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata apiKey=1234567890
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata appKey=xy
  dokku scheduler-k3s:autoscaling-auth:set web aws-cloudwatch --metadata a-quite-long-key=z
  run dokku scheduler-k3s:autoscaling-auth:report web
  [ "$status" -eq 0 ]
  [ "$output" = "=====> web autoscaling-auth information
       Aws-cloudwatch:                configured
       Datadog:                       configured" ]
  run dokku scheduler-k3s:autoscaling-auth:report web --include-metadata
  [ "$output" = "=====> web autoscaling-auth information
       Aws-cloudwatch:                  configured
       Aws-cloudwatch a-quite-long-key: z
       Datadog:                         configured
       Datadog apiKey:                  1234567890
       Datadog appKey:                  xy" ]
}

@test "json has the values, flags never do" {
  run dokku scheduler-k3s:autoscaling-auth:report web --format json
  [ "$output" = '{}' ]
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata apiKey=canary
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata empty=
  for more in --include-metadata --include-metadata=false; do
    run dokku scheduler-k3s:autoscaling-auth:report web --format json "$more"
    [ "$output" = '{"datadog.apiKey":"canary","datadog.empty":""}' ]
  done
  run dokku scheduler-k3s:autoscaling-auth:report web --scheduler-k3s-autoscaling-auth.datadog.apiKey --include-metadata
  [ "$status" -eq 0 ]
  [ "$output" = "*******" ]
  dokku scheduler-k3s:autoscaling-auth:report web --scheduler-k3s-autoscaling-auth.datadog.empty >"$STANDIN/shown"
  echo | cmp - "$STANDIN/shown"
  run dokku scheduler-k3s:autoscaling-auth:report web --scheduler-k3s-autoscaling-auth.nope
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid flag passed, valid flags: --scheduler-k3s-autoscaling-auth.datadog.apiKey, --scheduler-k3s-autoscaling-auth.datadog.empty" ]
}

@test "refusals of the report, and all apps" {
  dokku scheduler-k3s:autoscaling-auth:set web datadog --metadata a=1
  run dokku scheduler-k3s:autoscaling-auth:report nope --scheduler-k3s-autoscaling-auth.a --scheduler-k3s-autoscaling-auth.b
  [ "$status" -eq 1 ]
  [ "$output" = " !     only a single info flag may be specified" ]
  run dokku scheduler-k3s:autoscaling-auth:report nope
  [ "$status" -eq 20 ]
  run dokku scheduler-k3s:autoscaling-auth:report web --format yaml
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid format: yaml" ]
  run dokku scheduler-k3s:autoscaling-auth:report web --format json --scheduler-k3s-autoscaling-auth.a
  [ "$output" = " !     --format flag cannot be specified when specifying an info flag" ]
  run dokku scheduler-k3s:autoscaling-auth:report --format json
  [ "$output" = '{}
{"datadog.a":"1"}' ]
  run dokku scheduler-k3s:autoscaling-auth:report --global
  [ "$output" = "=====> --global autoscaling-auth information" ]
}

@test "help" {
  for command in set report; do
    run --separate-stderr dokku "scheduler-k3s:autoscaling-auth:$command" --help
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku scheduler-k3s:autoscaling-auth:$command "*metadata* ]]
  done
}
