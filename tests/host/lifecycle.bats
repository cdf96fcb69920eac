#!/usr/bin/env bats
# The plugin's own life and its part in the life of apps.

bats_require_minimum_version 1.5.0

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_setup --plugin >"$BATS_TEST_TMPDIR/log" 2>&1 || { cat "$BATS_TEST_TMPDIR/log" && return 1; }
  export DOKKU_SCHEDULER_K3S_TOOLS=$STANDIN/tools
  STORE=$DOKKU_LIB_ROOT/config/scheduler-k3s
  DATA=$DOKKU_LIB_ROOT/data/scheduler-k3s
  PLUGIN=$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s
}

teardown() {
  standin_teardown
}

tree() {
  (cd "$DOKKU_LIB_ROOT" && find config/scheduler-k3s data/scheduler-k3s -printf '%p %m %U %G\n' | sort)
}

@test "install makes directories and caches that are dokku's" {
  [ "$(stat -c '%a %U:%G' "$STORE" "$DATA")" = "755 dokku:dokku
755 dokku:dokku" ]
  [ -n "$(find "$PLUGIN/" -name 'settings.*.pyc')" ]
  [ -z "$(find "$PLUGIN/lib" ! -user dokku)" ]
}

@test "install can be repeated by every plugin:install, with a hostile umask too" {
  dokku apps:create web
  dokku scheduler-k3s:set web namespace x
  before=$(tree)
  (umask 077 && dokku plugin:install)
  dokku plugin:install
  [ "$(tree)" = "$before" ]
  [ -z "$(find "$PLUGIN/lib" ! -user dokku)" ]
  run dokku scheduler-k3s:report web --scheduler-k3s-namespace
  [ "$output" = x ]
}

@test "install gives back what root once wrote" {
  mkdir -p "$STORE/web"
  echo -n x >"$STORE/web/namespace"
  chown -R root:root "$STORE/web"
  dokku plugin:install
  [ "$(stat -c %U "$STORE/web" "$STORE/web/namespace" | sort -u)" = dokku ]
}

@test "install converts the properties of older versions, once" {
  mkdir -p "$STORE/--global" "$STORE/web"
  echo -n NodePort >"$STORE/--global/chart.traefik.service.type"
  printf 'a.b/c: x: y\n\n' >"$STORE/web/web.deployment"
  printf 'team: one\n' >"$STORE/web/labels.--global.service"
  for _ in 1 2; do
    dokku plugin:install
    [ "$(cat "$STORE/--global/chart-overrides.traefik")" = '{"service.type":"NodePort"}' ]
    [ ! -e "$STORE/--global/chart.traefik.service.type" ]
    [ "$(cat "$STORE/web/web.deployment")" = '{"a.b/c":"x: y"}' ]
    [ "$(cat "$STORE/web/labels.--global.service")" = '{"team":"one"}' ]
  done
  [ "$(stat -c '%U %a' "$STORE/web/web.deployment")" = "dokku 600" ]
  echo "no separator" >"$STORE/web/web.pod"
  run dokku plugin:install
  [ "$status" -ne 0 ]
  [[ $output == *"web/web.pod"* ]]
}

@test "install warns of whatever would do the same work" {
  run dokku plugin:install
  [[ $output != *"core-plugins/enabled"* ]]
  [[ $output != *"also answers"* ]]
  ln -s "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s" "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  make_plugin k3s-other
  # shellcheck disable=SC2016
  entry k3s-other scheduler-deploy <<<'#!/bin/sh
[ "$1" = k3s ] || exit 0'
  make_plugin quiet-other
  # shellcheck disable=SC2016
  entry quiet-other scheduler-deploy <<<'#!/bin/sh
[ "$1" = nomad ] || exit 0'
  run dokku plugin:install
  [ "$status" -eq 0 ]
  [[ $output == *" !     "*"rm $DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"* ]]
  [[ $output == *"Plugin k3s-other also answers for the k3s scheduler"*"plugn disable k3s-other"* ]]
  [[ $output != *"quiet-other"* ]]
  plugn disable k3s-other
  ln -s "$DOKKU_LIB_ROOT/plugins/available/scheduler-k3s" "$DOKKU_LIB_ROOT/plugins/enabled/twice"
  run dokku plugin:install
  [[ $output == *"Plugin twice also answers"* ]]
}

@test "install names the command that brings the tools" {
  run dokku plugin:install
  [ "$status" -eq 0 ]
  [[ $output == *"dokku plugin:install-dependencies"* ]]
}

@test "apps: create, clone, rename, destroy" {
  dokku apps:create web
  [ "$(stat -c '%a %U:%G' "$DATA/web")" = "755 dokku:dokku" ]
  dokku scheduler-k3s:set web namespace team-a
  dokku apps:clone web copy
  run dokku scheduler-k3s:report copy --scheduler-k3s-namespace
  [ "$output" = team-a ]
  dokku scheduler-k3s:set copy namespace team-b
  dokku apps:rename copy renamed
  run dokku scheduler-k3s:report renamed --scheduler-k3s-namespace
  [ "$output" = team-b ]
  [ ! -e "$STORE/copy" ]
  [ ! -e "$DATA/copy" ]
  dokku --force apps:destroy web
  [ ! -e "$STORE/web" ]
  [ ! -e "$DATA/web" ]
  [ "$(cat "$STORE/renamed/namespace")" = team-b ]
}

@test "the properties of a destroyed app do not come back with its name" {
  dokku apps:create web
  dokku scheduler-k3s:set web namespace team-a
  dokku --force apps:destroy web
  dokku apps:create web
  run dokku scheduler-k3s:report web --scheduler-k3s-namespace
  [ -z "$output" ]
}

@test "update makes the plugin ready again, and goes on without the network" {
  export DOKKU_SCHEDULER_K3S_HELM_URL=http://127.0.0.1:1
  echo '# newer' >>"$STANDIN/plugin/dokku-scheduler-k3s/lib/scheduler_k3s/values.py"
  git -C "$STANDIN/plugin/dokku-scheduler-k3s" -c user.name=test -c user.email=test@localhost commit --quiet --all --message newer
  run dokku plugin:update scheduler-k3s
  [ "$status" -eq 0 ]
  [[ $output == *"Unable to download http://127.0.0.1:1/"* ]]
  grep -qx '# newer' "$PLUGIN/lib/scheduler_k3s/values.py"
  compiled=$(find "$PLUGIN/lib/scheduler_k3s/__pycache__" -name 'values.*.pyc')
  [ -n "$compiled" ] && [ ! "$PLUGIN/lib/scheduler_k3s/values.py" -nt "$compiled" ]
  dokku apps:create web
  dokku scheduler-k3s:set web namespace x
}

@test "uninstall acts on its own name alone, and keeps the properties" {
  dokku scheduler-k3s:set --global namespace x
  mkdir -p "$DOKKU_SCHEDULER_K3S_TOOLS/bin"
  "$PLUGIN/uninstall" other
  [ -d "$DOKKU_SCHEDULER_K3S_TOOLS" ]
  "$PLUGIN/uninstall" scheduler-k3s
  [ ! -e "$DOKKU_SCHEDULER_K3S_TOOLS" ]
  "$PLUGIN/uninstall" scheduler-k3s
  [ "$(cat "$STORE/--global/namespace")" = x ]
}
