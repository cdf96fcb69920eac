#!/usr/bin/env bats
# scheduler-k3s:initialize and uninstall as an administrator meets them, up to the point where a cluster has to answer.

bats_require_minimum_version 1.5.0

TOKEN=canary0canary1canary2canary3canary4
VERSION=v1.34.4+k3s1

setup_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  standin_setup --plugin >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
  serve_tools "$STANDIN/served"
  use_tools "$STANDIN/served"
  dokku plugin:install-dependencies >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
  stop_serving "$STANDIN/served"
}

teardown_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_teardown
}

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  STORE=$DOKKU_LIB_ROOT/config/scheduler-k3s/--global
  STATE=$STANDIN/state
  mkdir -p "$STATE/files" "$STATE/bin"
  program "$STATE/bin/apt-get" 'echo "apt-get $*"'
  program "$STATE/bin/dpkg-query" 'for _ in 1 2 3 4 5; do echo installed; done'
  dokku scheduler-k3s:set --global k3s-installer-url http://127.0.0.1:8000/install.sh >/dev/null
  installer 'echo "installer runs: $*"; exit 1'
}

teardown() {
  rm -rf "$DOKKU_LIB_ROOT/config/scheduler-k3s"/* "$DOKKU_LIB_ROOT/data/scheduler-k3s"/* "$STATE"
}

# A program whose text is given.
program() {
  printf '#!/bin/sh\n%s\n' "$2" >"$1"
  chmod 755 "$1"
}

installer() {
  program "$STATE/files/install.sh" "$1"
  sha256sum <"$STATE/files/install.sh" | sed 's/-$/install.sh/' >"$STATE/files/install.sh.sha256sum"
}

# What k3s' own installer leaves, without a k3s that would run.
half_k3s() {
  # shellcheck disable=SC2016
  installer 'sleep 1
mkdir -p /etc/systemd/system
echo "ExecStart=/usr/local/bin/k3s $*" >/etc/systemd/system/k3s.service
env | grep K3S >/etc/systemd/system/k3s.service.env
printf "#!/bin/sh\necho k3s version '$VERSION' \\(0\\)\n" >/usr/local/bin/k3s
printf "#!/bin/sh\necho uninstalling\nrm -rf /usr/local/bin/k3s* /etc/rancher\n" >/usr/local/bin/k3s-uninstall.sh
chmod 755 /usr/local/bin/k3s /usr/local/bin/k3s-uninstall.sh
cat >/etc/rancher/k3s/k3s.yaml <<END
apiVersion: v1
kind: Config
current-context: default
clusters: [{name: default, cluster: {server: "http://127.0.0.1:6443"}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
users: [{name: default, user: {}}]
END'
}

on_host() {
  "$BATS_TEST_DIRNAME/k3s_host" "$STATE" "$PREFIX/bin/dokku" "$@"
}

# Runs initialize until it waits for a node, then ends it with a signal. What it said is in $STATE/said.
until_node_wait() {
  # shellcheck disable=SC2016,SC2094
  "$BATS_TEST_DIRNAME/k3s_host" "$STATE" timeout --signal TERM --preserve-status 60 bash -c '
    set -m
    "$@" & command=$!
    while kill -0 "$command" 2>/dev/null; do
      cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\0" " " >>"$0.words"
      if grep -q "Waiting for node" "$0"; then sleep 1; kill -TERM -- "-$command"; break; fi
      sleep 0.1
    done
    wait "$command"' "$STATE/said" "$PREFIX/bin/dokku" "$@" >"$STATE/said" 2>&1 || true
}

@test "only root may run them, by whatever name" {
  for command in initialize uninstall; do
    run --separate-stderr on_host "k3s:$command"
    [ "$status" -eq 1 ]
    [ "${stderr# }" = "!     This command must be run as root" ]
  done
}

@test "words that are wrong are said at once, and nothing has changed" {
  run --separate-stderr on_host scheduler-k3s:initialize --ingress-class haproxy
  [ "$status" -eq 1 ]
  [ "${stderr# }" = "!     Invalid ingress-class: haproxy" ]
  dokku scheduler-k3s:set --global k3s-release-url http://127.0.0.1:8000/r
  run --separate-stderr on_host scheduler-k3s:initialize --server-ip 192.0.2.9 --without keda,kedo --kubelet-args x
  [ "$status" -eq 1 ]
  [[ ${stderr# } == "!     Invalid server-ip: 192.0.2.9, "*" !     Invalid kubelet-args: x, "*' !     Invalid chart name "kedo"'*"k3s-release-url needs k3s-version"* ]]
  [ -z "$output" ]
  [ ! -e "$STORE/token" ]
  run on_host scheduler-k3s:initialize --cluster-init
  [ "$status" -eq 2 ]
  [[ $output == *"unknown flag: --cluster-init"* ]]
}

@test "ports, an external cluster, a foreign configuration and no systemd" {
  mkdir -p "$STATE/changes/etc/rancher/k3s"
  echo 'token: x' >"$STATE/changes/etc/rancher/k3s/config.yaml"
  dokku scheduler-k3s:set --global kubeconfig-path /etc/other
  dokku scheduler-k3s:set --global kube-context prod
  # shellcheck disable=SC2016
  run --separate-stderr "$BATS_TEST_DIRNAME/k3s_host" "$STATE" bash -c '
    /usr/bin/python3 -m http.server 6443 --bind 10.0.0.5 >/dev/null 2>&1 3>&- & server=$!
    trap "kill $server" EXIT
    until (: </dev/tcp/10.0.0.5/6443) 2>/dev/null; do sleep 0.05; done
    rmdir /run/systemd/system
    "$@"' - "$PREFIX/bin/dokku" scheduler-k3s:initialize
  [ "$status" -eq 1 ]
  [[ $stderr == *"kubeconfig-path is /etc/other, of another cluster. Unset it first: dokku scheduler-k3s:set --global kubeconfig-path"* ]]
  [[ $stderr == *"kube-context is prod"* ]]
  [[ $stderr == *"/etc/rancher/k3s/config.yaml was not written by dokku"* ]]
  [[ $stderr == *"k3s needs systemd, which is not running. Install it, and reboot: apt-get install systemd-sysv"* ]]
  [[ $stderr == *"k3s needs port 6443, held by python3 (process "* ]]
}

@test "a failure names the step, the cause and the command to repeat" {
  program "$STATE/bin/apt-get" 'echo "E: no network"; [ "$3" != update ]'
  run --separate-stderr on_host scheduler-k3s:initialize --ingress-class traefik --without longhorn
  [ "$status" -eq 1 ]
  [[ $output == *"       Using server ip address: 10.0.0.5"*"-----> Initializing k3s"*"=====> Updating apt"*"       E: no network" ]]
  [[ $stderr == *" !     Unable to call apt-get update command: apt-get failed with exit code 1: E: no network
 !     Stopped at: the Debian packages. What is done is kept. To go on, repeat: dokku scheduler-k3s:initialize --ingress-class traefik --without longhorn" ]]
}

@test "installers that are not run" {
  rm "$STATE/files/install.sh"
  run --separate-stderr on_host scheduler-k3s:initialize
  [ "$status" -eq 1 ]
  [[ $stderr == *" !     Invalid status code for k3s installer script: 404 (http://127.0.0.1:8000/install.sh)"* ]]
  installer 'echo "must not run"'
  echo "# changed" >>"$STATE/files/install.sh"
  run --separate-stderr on_host scheduler-k3s:initialize
  [ "$status" -eq 1 ]
  [[ $stderr == *"has the sha256 digest "*"It was not run"* ]]
  [[ $output != *"must not run"* ]]
  [ ! -e "$STATE/changes/usr/local/bin/k3s" ]
}

@test "an installer that fails, and what is stored by then" {
  run --separate-stderr on_host scheduler-k3s:initialize --ingress-class traefik --without vector,longhorn \
    --kubelet-args 'eviction-hard=memory.available<200Mi,nodefs.available<10%,max-pods=50' --taint-scheduling
  [ "$status" -eq 1 ]
  [[ $output == *"=====> Setting ingress-class to traefik"*"=====> Downloading k3s installer"*"=====> Running k3s installer"*"       installer runs: server"* ]]
  [[ $stderr == *"Unable to call k3s installer command: k3s-installer.sh failed with exit code 1"*"Stopped at: k3s. "* ]]
  [ "$(cat "$STORE/ingress-class")" = traefik ]
  [ "$(cat "$STORE/charts-disabled")" = vector,longhorn ]
  [[ $(cat "$STORE/token") =~ ^[0-9a-f]{64}$ ]]
  [[ $(cat "$STORE/agent-token") =~ ^[0-9a-f]{64}$ ]]
  [[ $(cat "$STORE/node-name") =~ ^ip-10-0-0-5-[0-9a-f]{10}$ ]]
  for name in token agent-token node-name ingress-class charts-disabled; do
    [ "$(stat -c '%a %U:%G' "$STORE/$name")" = "600 dokku:dokku" ]
  done
  config=$STATE/changes/etc/rancher/k3s/config.yaml
  [ "$(stat -c '%a %U:%G' "$config")" = "600 root:root" ]
  grep -qx 'cluster-init: true' "$config"
  grep -qx 'node-ip: "10.0.0.5"' "$config"
  grep -qx 'advertise-address: "10.0.0.5"' "$config"
  grep -qx 'flannel-iface: "eth0"' "$config"
  grep -qx '  - "CriticalAddonsOnly=true:NoSchedule"' "$config"
  grep -qx '  - "eviction-hard=memory.available<200Mi,nodefs.available<10%"' "$config"
  grep -qx '  - "max-pods=50"' "$config"
  [[ $output$stderr != *"$(cat "$STORE/token")"* ]]
  [ -z "$(find "$STANDIN/tools" -name '.fetched-*')" ]
}

@test "ended while it waits, repeated, and taken off again; the token is in its files alone" {
  half_k3s
  dokku scheduler-k3s:set --global token $TOKEN
  until_node_wait --trace scheduler-k3s:initialize
  grep -q "       Using the token that is set" "$STATE/said"
  grep -q " !     initialize was cancelled" "$STATE/said"
  grep -q " !     Stopped at: the node. " "$STATE/said"
  node=$(cat "$STORE/node-name")

  until_node_wait scheduler-k3s:initialize
  grep -q "       Going on with the initialization" "$STATE/said"
  [ "$(cat "$STORE/node-name")" = "$node" ]

  for secret in $TOKEN "$(cat "$STORE/agent-token")"; do
    ! grep -q "$secret" "$STATE/said" "$STATE/said.words" "$STATE/changes/etc/systemd/system/k3s.service"*
    [ "$(grep -rlF "$secret" "$STATE/changes" "$DOKKU_LIB_ROOT/config" "$DOKKU_LIB_ROOT/data" | wc -l)" -eq 2 ]
  done
  grep -q k3s-installer.sh "$STATE/said.words"

  run --separate-stderr on_host scheduler-k3s:uninstall
  [ "$status" -eq 0 ]
  [[ $output == *"-----> Uninstalling k3s"*"       uninstalling"*"=====> Removing k3s dependencies"*"What stays: "* ]]
  [ "$(cat "$STORE/token")" = $TOKEN ]
  [ ! -e "$STORE/node-name" ]
  run --separate-stderr on_host scheduler-k3s:uninstall
  [ "$status" -eq 1 ]
  [ "${stderr# }" = "!     k3s not installed, cannot uninstall: k3s binary is not available" ]
}

@test "an installed k3s is not initialized again" {
  half_k3s
  mkdir -p "$STATE/changes/etc/rancher/k3s"
  # shellcheck disable=SC2016
  run --separate-stderr "$BATS_TEST_DIRNAME/k3s_host" "$STATE" sh -c '"$0" >/dev/null; exec "$@"' \
    "$STATE/files/install.sh" "$PREFIX/bin/dokku" scheduler-k3s:initialize
  [ "$status" -eq 1 ]
  [ "${stderr# }" = "!     k3s already installed, cannot re-initialize k3s" ]
}

@test "uninstall asks on a terminal only, and takes half an installation" {
  half_k3s
  mkdir -p "$STATE/changes/etc/rancher/k3s"
  # shellcheck disable=SC2016
  "$BATS_TEST_DIRNAME/k3s_host" "$STATE" "$STATE/files/install.sh"
  rm "$STATE/changes/etc/rancher/k3s/k3s.yaml"
  run on_terminal "$BATS_TEST_DIRNAME/k3s_host" "$STATE" "$PREFIX/bin/dokku" scheduler-k3s:uninstall
  [ "$status" -ne 0 ]
  [[ $output == *'To proceed, type "k3s"'* ]]
  [ -e "$STATE/changes/usr/local/bin/k3s-uninstall.sh" ]
  run on_terminal "$BATS_TEST_DIRNAME/k3s_host" "$STATE" "$PREFIX/bin/dokku" scheduler-k3s:uninstall --force
  [ "$status" -eq 0 ]
  [ ! -f "$STATE/changes/usr/local/bin/k3s-uninstall.sh" ]
}

@test "uninstall without k3s, and with another cluster's kubeconfig" {
  run --separate-stderr on_host scheduler-k3s:uninstall
  [ "$status" -eq 1 ]
  [ "${stderr# }" = "!     k3s not installed, cannot uninstall: k3s binary is not available" ]
  dokku scheduler-k3s:set --global kubeconfig-path /etc/other
  run --separate-stderr on_host scheduler-k3s:uninstall --force
  [ "$status" -eq 1 ]
  [[ ${stderr# } == "!     k3s not installed, cannot uninstall: kubeconfig-path is /etc/other, of another cluster."* ]]
}
