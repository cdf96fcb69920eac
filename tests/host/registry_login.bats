#!/usr/bin/env bats
# post-registry-login without a cluster: who is told what, and that a login never fails for it.

bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_setup --plugin >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
}

teardown_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_teardown
}

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
}

deployed() {
  dokku apps:create "$1" >/dev/null
  dokku scheduler:set "$1" selected "$2" >/dev/null
  as_dokku sh -c "mkdir -p '$DOKKU_LIB_ROOT/data/scheduler-k3s/$1' && echo '{\"namespace\":\"default\",\"kubeconfig-path\":\"$STANDIN/none\",\"kube-context\":\"\"}' >'$DOKKU_LIB_ROOT/data/scheduler-k3s/$1/deployed.json'"
}

@test "without apps in a cluster nothing is said" {
  deployed local docker-local
  run --separate-stderr dokku registry:login registry.example.com me canary
  [ "$status" -eq 0 ]
  [ "$output" = "Login Succeeded" ]
  [ -z "$stderr" ]
}

@test "a cluster that is not reached is told once, and the login holds" {
  deployed one k3s
  deployed two k3s
  deployed own k3s
  dokku scheduler-k3s:set own image-pull-secrets mine
  run --separate-stderr dokku registry:login registry.example.com me canary
  [ "$status" -eq 0 ]
  [ "$output" = "Login Succeeded" ]
  [[ $stderr == *"!     Unable to update the pull secrets of one, two: "*"$STANDIN/none"* ]]
  [[ $stderr == *"!     They get the login with their next deploy" ]]
  [[ $stderr != *canary* ]]
}

@test "nodes are left alone unless that was asked for, and where there are none" {
  dokku scheduler-k3s:set --global node-registries true
  run --separate-stderr dokku registry:login registry.example.com me canary
  [ "$status" -eq 0 ]
  [[ $output != *"Updating k3s configuration"* ]]
}

@test "the helper for root's file" {
  helper=$CHECKOUT/lib/helpers/dokku-k3s-registries
  for words in "" "remove" "read x" "write x"; do
    # shellcheck disable=SC2086
    run "$helper" $words </dev/null
    [ "$status" -eq 2 ]
    [ "$output" = "Usage: dokku-k3s-registries read|write" ]
  done
  sed "s|^file=.*|file=$STANDIN/k3s/registries.yaml|" "$helper" >"$STANDIN/helper"
  run sh "$STANDIN/helper" read
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  echo content | sh "$STANDIN/helper" write
  [ "$(sh "$STANDIN/helper" read)" = content ]
  [ "$(stat -c %a "$STANDIN/k3s/registries.yaml" "$STANDIN/k3s")" = "600
755" ]
  run sh -c "head -c 2000000 /dev/zero | sh '$STANDIN/helper' write"
  [ "$status" -eq 1 ]
  [ "$(sh "$STANDIN/helper" read)" = content ]
  [ "$(ls "$STANDIN/k3s")" = registries.yaml ]
}
