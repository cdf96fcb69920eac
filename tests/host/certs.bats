#!/usr/bin/env bats
# Certificates and storage entries as dokku tells of them, where there is no cluster to ask.

bats_require_minimum_version 1.5.0

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_setup --plugin >"$BATS_TEST_TMPDIR/log" 2>&1 || { cat "$BATS_TEST_TMPDIR/log" && return 1; }
  dokku apps:create web
  for name in one two; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 60 -subj "/CN=$name" \
      -keyout "$STANDIN/$name.key" -out "$STANDIN/$name.crt" 2>/dev/null
    chmod 644 "$STANDIN/$name.key"
  done
}

teardown() {
  standin_teardown
}

use_k3s() {
  dokku scheduler:set web selected k3s
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/away"
}

@test "certs:add of an app of another scheduler is nothing to us" {
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/away"
  run --separate-stderr dokku certs:add web "$STANDIN/one.crt" "$STANDIN/two.key"
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "certs:add refuses what cannot serve, cluster or not" {
  use_k3s
  run dokku certs:add web "$STANDIN/one.crt" "$STANDIN/two.key"
  [ "$status" -ne 0 ]
  [[ $output == *" !     The certificate of web cannot be used: its key is not that of the certificate (CN=one)"* ]]
  [[ $output != *"PRIVATE"* ]]
}

@test "certs:add and certs:remove go on without the cluster, and say when it follows" {
  use_k3s
  run dokku certs:add web "$STANDIN/one.crt" "$STANDIN/one.key"
  [ "$status" -eq 0 ]
  [[ $output == *"$STANDIN/away"*"The certificate of web gets there with the next deploy: dokku ps:restart web"* ]]
  mkdir -p "$DOKKU_LIB_ROOT/config/scheduler-k3s/web"
  echo -n true >"$DOKKU_LIB_ROOT/config/scheduler-k3s/web/tls-cert-imported"
  chown -R dokku:dokku "$DOKKU_LIB_ROOT/config/scheduler-k3s/web"
  run dokku certs:remove web
  [ "$status" -eq 0 ]
  [[ $output == *"The certificate of web leaves with the next deploy: dokku ps:restart web"* ]]
  [ "$(cat "$DOKKU_LIB_ROOT/config/scheduler-k3s/web/tls-cert-imported")" = removed ]
}

@test "a clone, for which dokku removes a certificate too, asks no cluster" {
  use_k3s
  run --separate-stderr dokku apps:clone --skip-deploy web copy
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "an installation passes over a cluster that is away" {
  use_k3s
  dokku certs:add web "$STANDIN/one.crt" "$STANDIN/one.key"
  run dokku plugin:install
  [ "$status" -eq 0 ]
  [[ $output != *"away"* ]]
}

@test "storage entries of other schedulers are nothing to us" {
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/away"
  dokku storage:create data "$STANDIN"
}

@test "a storage entry that cannot be made is told, and dokku forgets it" {
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/away"
  run dokku storage:create data --scheduler k3s --size 1Gi
  [ "$status" -ne 0 ]
  [[ $output == *" !     "*"$STANDIN/away"* ]]
  [ ! -e "$DOKKU_LIB_ROOT/data/storage-registry/entries/data.json" ]
  run dokku storage:create data --scheduler k3s --size lots
  [ "$status" -ne 0 ]
  [[ $output == *"Storage entry data: size: lots is no amount that Kubernetes knows"* ]]
}

@test "ps:restore leaves an app alone whose cluster stays away, with the reason" {
  use_k3s
  sed -i 's/^PATIENCE = .*/PATIENCE = 0.1/' "$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s/lib/scheduler_k3s/operations/restore.py"
  run dokku ps:restore web
  [ "$status" -ne 0 ]
  [[ $output == *"$STANDIN/away"*"web is left as it is. Restore it later, with: dokku ps:restore web"* ]]
}
