#!/usr/bin/env bats
# scheduler-k3s:ensure-charts as dokku calls it, without a cluster.

bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_setup --plugin >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
  mkdir -p "$STANDIN/tools/bin"
  # helm says that it was there, which without a cluster it should not be
  printf '#!/bin/sh\necho called >"%s/called"\n' "$STANDIN" >"$STANDIN/tools/bin/helm"
  chmod 755 "$STANDIN/tools/bin/helm"
  printf 'export DOKKU_SCHEDULER_K3S_TOOLS=%s\n' "$STANDIN/tools" >"$DOKKU_ROOT/dokkurc"
}

teardown_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_teardown
}

# bats cuts blanks at the beginning of what it keeps apart
setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
}

teardown() {
  rm -rf "$DOKKU_LIB_ROOT/config/scheduler-k3s"/*
  chmod 755 "$STANDIN/tools/bin/helm"
  [ ! -e "$STANDIN/called" ]
}

@test "unknown charts are refused before anything else, however the list is written" {
  chmod 644 "$STANDIN/tools/bin/helm"
  known="cert-manager, ingress-nginx, keda, keda-add-ons-http, longhorn, traefik, vector"
  for words in "--charts nginx" "--charts=keda,nginx" "--charts keda --charts nginx" "--force --charts nginx,vector"; do
    # shellcheck disable=SC2086
    run --separate-stderr dokku scheduler-k3s:ensure-charts $words
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    # shellcheck disable=SC2154
    [ "$stderr" = "!     Invalid chart name \"nginx\", valid charts: $known" ]
  done
  run dokku scheduler-k3s:ensure-charts --charts keda,,vector
  [ "$output" = " !     Invalid chart name \"\", valid charts: $known" ]
}

@test "wrong command lines show the usage" {
  for words in "keda" "--force=maybe" "--charts" "--chart keda"; do
    # shellcheck disable=SC2086
    run --separate-stderr dokku scheduler-k3s:ensure-charts $words
    [ "$status" -eq 2 ]
    [[ $stderr == "Usage: dokku scheduler-k3s:ensure-charts [--force] [--charts NAME[,NAME...]]"* ]]
  done
  [[ $stderr == *" !     unknown flag: --chart, did you mean --charts?" ]]
}

@test "a host without helm names the command that installs it" {
  chmod 644 "$STANDIN/tools/bin/helm"
  run dokku scheduler-k3s:ensure-charts
  [ "$status" -eq 1 ]
  [ "$output" = " !     $STANDIN/tools/bin/helm is missing. Install it, as root, with: dokku plugin:install-dependencies" ]
}

@test "a host without a cluster names the ways to one" {
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/none"
  run --separate-stderr dokku scheduler-k3s:ensure-charts --force
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "$stderr" = "!     Unable to create kubernetes client: kubeconfig $STANDIN/none cannot be used: it does not exist. Make a cluster with: dokku scheduler-k3s:initialize, or name one with: dokku scheduler-k3s:set --global kubeconfig-path PATH" ]
}

@test "a cluster that does not answer is said so" {
  cat >"$STANDIN/kubeconfig" <<END
{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
 "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:9"}}], "users": [{"name": "u", "user": {}}]}
END
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/kubeconfig"
  run --separate-stderr dokku scheduler-k3s:ensure-charts
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr == "!     kubernetes api not available: Unable to reach the Kubernetes API at http://127.0.0.1:9 "* ]]
}
