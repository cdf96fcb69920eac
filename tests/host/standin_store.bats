# Properties, data directories and locks on disk.
# shellcheck disable=SC2016,SC2164
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  standin_setup
  dokku apps:create app
  export CONFIG=$DOKKU_LIB_ROOT/config
}

teardown_file() {
  standin_teardown
}

setup() {
  cd "$STANDIN"
}

prop() {
  as_dokku "$DOKKU_LIB_ROOT/core-plugins/available/common/prop" "$@"
}

@test "a property is a file: raw value, no newline, 0600 in 0755 directories, dokku's" {
  dokku scheduler:set app shell '/bin/x y'
  [ "$(od -c "$CONFIG/scheduler/app/shell" | head -n 1)" = "$(printf '/bin/x y' | od -c | head -n 1)" ]
  [ "$(stat -c '%a %U:%G' "$CONFIG/scheduler/app/shell")" = '600 dokku:dokku' ]
  [ "$(stat -c '%a %U:%G' "$CONFIG/scheduler/app")" = '755 dokku:dokku' ]
  dokku scheduler:set --global shell /bin/g
  [ "$(cat "$CONFIG/scheduler/--global/shell")" = /bin/g ]
  dokku scheduler:set --global shell
}

@test "files and commands are one truth" {
  prop set scheduler app selected null
  [ "$(dokku scheduler:report app --scheduler-selected)" = null ]
  : >"$CONFIG/scheduler/app/selected"
  [ "$(dokku scheduler:report app --scheduler-computed-selected)" = docker-local ]
}

@test "prop: get, set, exists, del" {
  [ -z "$(prop get p app k)" ]
  run prop exists p app k
  [ "$status" -eq 1 ]
  prop set p app k.with.dots 'v 1'
  [ "$(prop get p app k.with.dots)" = 'v 1' ]
  prop exists p app k.with.dots
  prop del p app k.with.dots
  prop del p app k.with.dots
  [ -z "$(prop get p app k.with.dots)" ]
  [ "$(prop get-with-default p app none d)" = d ]
  [ -z "$(prop get-with-default p app none '')" ]
  run prop nosuch p app k
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "prop: lists are lines that each end in a newline" {
  for item in a b c; do prop rpush p app list "$item"; done
  [ "$(od -An -c "$CONFIG/p/app/list" | tr -d ' ')" = 'a\nb\nc\n' ]
  prop rpush p app list first 1
  [ "$(prop lrange p app list | tr '\n' ' ')" = 'first a b c ' ]
  [ "$(prop llen p app list)" = 4 ]
  [ "$(prop lindex p app list 1)" = a ]
  prop lismember p app list c
  run prop lismember p app list z
  [ "$status" -eq 1 ]
  prop lset p app list A 1
  prop lrem p app list b
  [ "$(prop lrange p app list | tr '\n' ' ')" = 'first A c ' ]
  prop lrem-by-prefix p app list 'fi'
  [ "$(prop lrange p app list | tr '\n' ' ')" = 'A c ' ]
}

@test "prop: get-all ignores subdirectories, clone keeps the target's own keys, destroy" {
  prop set q app one 1
  prop set q app one.more 2
  mkdir "$CONFIG/q/app/directory"
  [ "$(prop get-all q app | sort)" = $'one 1\none.more 2' ]
  [ "$(prop get-all-by-prefix q app one.)" = 'one.more 2' ]
  prop set q new own 3
  prop clone q app new
  [ "$(prop get-all q new | sort)" = $'one 1\none.more 2\nown 3' ]
  prop destroy q app
  [ ! -e "$CONFIG/q/app" ]
  [ -e "$CONFIG/q/new" ]
  prop destroy q _all_
  [ ! -e "$CONFIG/q" ]
}

@test "prop: setup" {
  prop setup-app r app
  [ -d "$CONFIG/r/app" ]
}

@test "property-functions wrap prop" {
  as_dokku bash -c 'source "$PLUGIN_CORE_AVAILABLE_PATH/common/property-functions"
    fn-plugin-property-write s app key value'
  [ "$(prop get s app key)" = value ]
  [ "$(as_dokku bash -c '. "$PLUGIN_CORE_AVAILABLE_PATH/common/property-functions"; fn-plugin-property-get s app no d')" = d ]
}

@test "environments share the tree" {
  dokku config:set --no-restart app A=1
  dokku config:set --global G=2
  grep -q '^A=' "$CONFIG/app/ENV"
  grep -q '^G=' "$CONFIG/--global/ENV"
  [ "$(stat -c %a "$CONFIG/app/ENV")" = 600 ]
}

@test "apps, domains and certificates live below DOKKU_ROOT" {
  dokku domains:set app a.example.com b.example.com
  [ "$(cat "$DOKKU_ROOT/app/VHOST")" = $'a.example.com\nb.example.com' ]
  dokku domains:set-global example.com
  [ "$(cat "$DOKKU_ROOT/VHOST")" = example.com ]
  dokku domains:clear-global
  echo crt >server.crt
  echo key >server.key
  tar -cf - server.crt server.key | dokku certs:add app
  [ "$(stat -c '%a %U' "$DOKKU_ROOT/app/tls/server.key" "$DOKKU_ROOT/app/tls/server.crt" "$DOKKU_ROOT/app/tls")" = \
    $'640 dokku\n640 dokku\n750 dokku' ]
  dokku certs:remove app
}

@test "credentials: the app's own, or the host's" {
  echo secret | dokku registry:login --password-stdin app one.example.com user
  dokku registry:login two.example.com user secret
  [ "$(jq -r '.auths["one.example.com"].auth' "$CONFIG/registry/app/config.json" | base64 -d)" = user:secret ]
  [ "$(jq -r '.auths["two.example.com"].auth' "$DOKKU_ROOT/.docker/config.json" | base64 -d)" = user:secret ]
  dokku registry:logout app one.example.com
  [ "$(jq '.auths | length' "$CONFIG/registry/app/config.json")" = 0 ]
}

@test "storage entries and mounts" {
  dokku storage:create vol --size 1Gi --access-mode ReadWriteOnce --label a=b
  local file=$DOKKU_LIB_ROOT/data/storage-registry/entries/vol.json
  [ "$(stat -c %a "$file")" = 600 ]
  [ "$(jq -c . "$file")" = '{"name":"vol","scheduler":"docker-local","size":"1Gi","access_mode":"ReadWriteOnce","labels":{"a":"b"},"schema_version":1}' ]
  dokku storage:mount app vol:/data --process-type web --subpath sub --readonly
  [ "$(jq -r .container_path "$CONFIG/storage/app/mounts")" = /data ]
  dokku storage:unmount app vol:/data
  [ ! -s "$CONFIG/storage/app/mounts" ]
  for name in Upper a_b -a "$(printf 'a%.0s' {1..46})"; do
    run dokku storage:create "$name"
    [ "$status" -ne 0 ]
  done
}

@test "apps:lock makes the file and blocks nothing" {
  dokku apps:lock app
  [ -e "$DOKKU_LIB_ROOT/data/apps/app/.deploy.lock" ]
  [ "$(dokku apps:report app --app-locked)" = true ]
  dokku ps:scale app web=1
  dokku apps:unlock app
  [ ! -e "$DOKKU_LIB_ROOT/data/apps/app/.deploy.lock" ]
}

@test "ps:retire holds its lock while the schedulers retire" {
  make_plugin scheduler-toy
  echo '#!/bin/sh
flock -n "$DOKKU_LIB_ROOT/data/ps/retire" true || echo held' | entry scheduler-toy scheduler-retire
  [ "$(dokku ps:retire)" = held ]
}
