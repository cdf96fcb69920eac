#!/usr/bin/env bats
# scheduler-k3s:preview as dokku calls it, where there is no cluster.

bats_require_minimum_version 1.5.0
# shellcheck disable=SC2034
APPS="web"
load plugin_host

@test "refusals in their order" {
  run dokku scheduler-k3s:preview
  [ "$status" -eq 1 ]
  [ "$output" = " !     Please specify an app to run the command on" ]
  run dokku scheduler-k3s:preview nope
  [ "$status" -eq 20 ]
  [ "$output" = " !     App nope does not exist" ]
  run dokku scheduler-k3s:preview web
  [ "$status" -eq 1 ]
  [ "$output" = " !     App web is not configured to use the k3s scheduler" ]
  run dokku scheduler-k3s:preview web --format yaml
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid format: yaml" ]
}

@test "wrong command lines" {
  for words in "web --context many" "web --context" "web --all=perhaps" "web surplus"; do
    # shellcheck disable=SC2086
    run --separate-stderr dokku scheduler-k3s:preview $words
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    # shellcheck disable=SC2154
    [[ $stderr == "Usage: dokku scheduler-k3s:preview <app> "* ]]
  done
  [[ $stderr == *"!     Unexpected argument: surplus" ]]
}

@test "an app without an image, and a cluster that is away, are said in a line or two" {
  dokku scheduler:set web selected k3s
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/none"
  run --separate-stderr dokku scheduler-k3s:preview web --context -1
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr == *"!     "* ]]
  [[ $stderr != *Traceback* ]]
  [ "$(wc -l <<<"$stderr")" -le 3 ]
}
