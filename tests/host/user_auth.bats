#!/usr/bin/env bats
# A plugin that answers `user-auth-app` decides which apps a user has.

bats_require_minimum_version 1.5.0
# shellcheck disable=SC2034
APPS="hers mine"
load plugin_host

setup() {
  make_plugin auth
  install -m 666 /dev/null "$STANDIN/asked"
  # shellcheck disable=SC2016
  echo '#!/bin/sh
echo "$1 $2" >'"$STANDIN"'/asked; shift 2; for app in "$@"; do [ "$app" != mine ] || echo mine; done' |
    entry auth user-auth-app
}

teardown() {
  rm -rf "${STORE:?}"/* "$DOKKU_LIB_ROOT/plugins/enabled/auth" "$DOKKU_LIB_ROOT/plugins/available/auth"
}

refused() {
  run --separate-stderr dokku "$@"
  [ "$status" -eq 20 ]
  [ -z "$output" ]
  # shellcheck disable=SC2154
  [[ $stderr == *"!     App hers does not exist" ]]
}

@test "the app of somebody else does not exist for any command" {
  refused scheduler-k3s:set hers namespace team-a
  refused scheduler-k3s:report hers
  refused scheduler-k3s:preview hers
  refused scheduler-k3s:autoscaling-auth:set hers cron --metadata a=b
  refused scheduler-k3s:autoscaling-auth:report hers
  for kind in annotations labels; do
    refused "scheduler-k3s:$kind:set" hers a b --resource-type pod
    refused "scheduler-k3s:$kind:report" hers
  done
  [ ! -e "$STORE/hers" ]
}

@test "reports over all apps show one's own, and the plugin is told who asks" {
  dokku scheduler-k3s:set mine namespace team-a
  [ "$(cat "$STANDIN/asked")" = "root default" ]
  for report in report annotations:report labels:report autoscaling-auth:report; do
    run dokku "scheduler-k3s:$report"
    [ "$status" -eq 0 ]
    [[ $output == "=====> mine "* ]]
    [[ $output != *hers* ]]
  done
  SSH_USER=git SSH_NAME=anna run dokku scheduler-k3s:report mine --scheduler-k3s-namespace
  [ "$output" = team-a ]
  [ "$(cat "$STANDIN/asked")" = "git anna" ]
}

@test "who has no app is told so, and that is no failure" {
  printf '#!/bin/sh\n' | entry auth user-auth-app
  run --separate-stderr dokku scheduler-k3s:report
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ $stderr == *"!     You haven't deployed any applications yet" ]]
}
