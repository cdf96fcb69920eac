# Which command fires which triggers, in order.
# shellcheck disable=SC2016,SC2164
bats_require_minimum_version 1.5.0
load helper

ALL='core-post-deploy core-post-extract deploy-source-set post-app-clone post-app-clone-setup post-app-rename
  post-app-rename-setup post-certs-remove post-certs-update post-config-update post-create post-delete post-deploy
  post-domains-update post-extract post-proxy-ports-update post-registry-login post-release-builder post-stop pre-delete
  pre-receive-app pre-release-builder pre-restore pre-start proxy-build-config proxy-clear-config proxy-disable
  proxy-enable scheduler-cron-write scheduler-deploy scheduler-enter scheduler-inspect scheduler-logs
  scheduler-logs-failed scheduler-post-delete scheduler-pre-restore scheduler-proxy-config scheduler-proxy-logs
  scheduler-retire scheduler-run scheduler-run-list scheduler-run-logs scheduler-run-retire scheduler-run-stop
  scheduler-stop storage-create storage-destroy'

setup_file() {
  standin_setup
  make_plugin scheduler-toy
  # shellcheck disable=SC2086
  record scheduler-toy $ALL
  status_is false
  printf '#!/bin/sh\n[ "$1" != toy ] || echo false\n' | entry scheduler-toy scheduler-uses-host-cron
  dokku apps:create app
  dokku scheduler:set app selected toy
}

teardown_file() {
  standin_teardown
}

setup() {
  cd "$STANDIN"
  : >calls
}

status_is() {
  printf '#!/bin/sh\n[ "$1" != toy ] || printf "2 %s"\n' "$1" | entry scheduler-toy scheduler-app-status
}

deployed() {
  as_dokku "$DOKKU_LIB_ROOT/core-plugins/available/common/prop" set common app deployed "$1"
}

# The calls since the last look are exactly the lines on stdin.
expect() {
  local wanted got
  wanted=$(cat)
  got=$(cat calls)
  : >calls
  [ "$got" = "$wanted" ] || { diff <(echo "$wanted") <(echo "$got"); false; }
}

# Keeps the lines of the calls that say something of a deploy to be short.
only() {
  local kept
  kept=$(calls "$1")
  printf '%s\n' "$kept" >calls
}

@test "run, run:detached, run:list, run:logs, run:stop, run:retire" {
  dokku run -e A=1 app ls -l
  dokku run:detached app ls
  dokku run:list app
  dokku run:list app --format json
  dokku run:logs app
  dokku run:logs --container app.run.0123456789 -t -n 5 -q
  dokku run:stop app
  dokku run:stop app --container app.run.1
  dokku run:stop --container app.run.1
  dokku run:retire
  dokku run:retire app
  expect <<'END'
scheduler-run|toy|app|1|A=1|--|ls|-l
scheduler-run|toy|app|0|--|ls
scheduler-run-list|toy|app|stdout
scheduler-run-list|toy|app|json
scheduler-run-logs|toy|app||false|false|100
scheduler-run-logs|toy|app|app.run.0123456789|true|true|5
scheduler-run-stop|toy|app|
scheduler-run-stop|toy|app|app.run.1
scheduler-run-stop|docker-local||app.run.1
scheduler-run-retire
scheduler-run-retire|toy|app
END
}

@test "run:logs takes names with exactly two dots" {
  for name in app.run a.b.run.1 app-run-1; do
    run dokku run:logs app --container "$name"
    [ "$status" -eq 1 ]
  done
  expect </dev/null
}

@test "enter" {
  dokku enter app
  dokku enter app web
  dokku enter app web.2 ls -l
  dokku enter app web -- ls
  dokku enter app -- ls
  dokku enter app --container-id X cmd
  expect <<'END'
scheduler-enter|toy|app|--
scheduler-enter|toy|app|web|--
scheduler-enter|toy|app|web.2|--|ls|-l
scheduler-enter|toy|app|web|--|ls
scheduler-enter|toy|app|--|--|ls
scheduler-enter|toy|app|cmd|--
END
}

@test "logs of what is not deployed, logs:failed" {
  deployed false
  run dokku logs app
  [ "$status" -eq 1 ]
  [ "$output" = ' !     App app has not been deployed' ]
  [ "$(dokku logs:failed app)" = '=====> app failed deploy logs' ]
  expect <<<'scheduler-logs-failed|toy|app'
}

@test "ps:start, ps:stop" {
  deployed false
  run dokku ps:start app
  [ "$status" -eq 1 ]
  deployed true
  status_is true
  run dokku ps:start app
  [ "$status" -eq 0 ]
  [ "$output" = ' !     App app already running' ]
  expect <<<'pre-start|app'
  dokku ps:stop app
  expect <<'END'
scheduler-stop|toy|app
post-stop|app
END
  [ "$(cat "$DOKKU_LIB_ROOT/config/ps/app/restore")" = false ]
  dokku config:set app A=1
  expect <<<'post-config-update|app|set|A'
  rm "$DOKKU_LIB_ROOT/config/ps/app/restore"
}

@test "ps:restart, ps:scale" {
  deployed true
  dokku ps:restart app
  dokku ps:restart app worker
  dokku ps:scale app web=2 worker=3
  dokku ps:scale app web=2 worker=4
  dokku ps:scale --skip-deploy app web=5
  expect <<'END'
scheduler-deploy|toy|app|latest|
scheduler-deploy|toy|app|latest|worker
scheduler-deploy|toy|app|latest|web
scheduler-deploy|toy|app|latest|worker
scheduler-deploy|toy|app|latest|worker
END
  [ "$(trigger ps-current-scale app)" = $'web=5\nworker=4' ]
  dokku registry:set app push-on-release true
  echo 7 >"$DOKKU_LIB_ROOT/config/registry/app/tag-version"
  dokku ps:restart app
  expect <<<'scheduler-deploy|toy|app|7|'
  dokku registry:set app push-on-release
}

@test "ps:scale is refused when app.json has quantities" {
  as_dokku "$DOKKU_LIB_ROOT/core-plugins/available/common/prop" set ps app can-scale false
  run dokku ps:scale app web=1
  [ "$status" -eq 1 ]
  rm "$DOKKU_LIB_ROOT/config/ps/app/can-scale"
}

@test "ps:inspect, ps:report; a status without a state crashes the caller" {
  dokku ps:inspect app
  expect <<<'scheduler-inspect|toy|app'
  printf '#!/bin/sh\necho asked >>%s/calls; printf "3 mixed"; exit 4\n' "$STANDIN" | entry scheduler-toy scheduler-app-status
  run dokku ps:report app
  [ "$status" -eq 0 ]
  [[ $output == *'Ps processes:'*3*'Ps running:'*mixed* ]]
  expect <<<$'asked\nasked'
  printf '#!/bin/sh\n' | entry scheduler-toy scheduler-app-status
  run dokku ps:report app
  [ "$status" -eq 2 ]
  [[ $output == *'panic: runtime error: index out of range'* ]]
  status_is false
}

@test "ps:restore goes on with the next app when one fails" {
  deployed true
  status_is true
  dokku apps:create afail
  dokku scheduler:set afail selected toy
  : >calls
  printf '#!/bin/sh\necho "scheduler-pre-restore|$*" >>%s/calls; [ "$2" != afail ]\n' "$STANDIN" |
    entry scheduler-toy scheduler-pre-restore
  run dokku ps:restore
  [ "$status" -ne 0 ]
  expect <<'END'
pre-restore
scheduler-pre-restore|toy afail
scheduler-pre-restore|toy app
proxy-clear-config|app
pre-start|app
END
  dokku ps:stop app
  : >calls
  dokku ps:restore app
  expect <<'END'
pre-restore
scheduler-pre-restore|toy app
proxy-clear-config|app
END
  rm "$DOKKU_LIB_ROOT/config/ps/app/restore"
  dokku apps:destroy --force afail
}

@test "ps:retire asks the host's scheduler, run-retire without arguments" {
  dokku ps:retire
  expect <<<$'scheduler-retire|docker-local|\nscheduler-run-retire'
}

@test "config" {
  deployed false
  dokku config:set app A=1 B=2
  dokku config:unset app A B
  dokku config:set --global G=1
  dokku config:clear app
  expect <<'END'
post-config-update|app|set|A|B
post-config-update|app|unset|A|B
post-config-update||set|G
post-config-update|app|clear|NO_VHOST
END
  dokku config:set --no-restart app NO_VHOST=1
}

@test "config:set of a deployed app without an image: said, and success" {
  deployed true
  # Any program that fails will do for a docker that has no images.
  run env DOCKER_BIN=false "$PREFIX/bin/dokku" config:set app C=1
  [ "$status" -eq 0 ]
  [[ $output == *' !     App image (dokku/app:latest) not found'* ]]
  expect <<<'post-config-update|app|set|C'
}

@test "domains" {
  deployed false
  dokku domains:add app a.example.com
  expect <<'END'
post-config-update|app|set|NO_VHOST
post-domains-update|app|enable
post-domains-update|app|add|a.example.com
END
  dokku domains:add app b.example.com c.example.com
  dokku domains:remove app b.example.com
  dokku domains:set app d.example.com
  dokku domains:clear app
  expect <<'END'
post-domains-update|app|add|b.example.com|c.example.com
post-domains-update|app|remove|b.example.com
post-domains-update|app|set|d.example.com
post-domains-update|app|clear
END
  dokku domains:disable app
  dokku domains:enable app
  expect <<'END'
post-config-update|app|set|NO_VHOST
post-domains-update|app|disable
post-config-update|app|set|NO_VHOST
post-domains-update|app|enable
END
}

@test "ports and proxy" {
  dokku ports:add app http:80:5000
  dokku ports:set app http:80:5000
  dokku ports:remove app http:80:5000
  dokku ports:clear app
  dokku proxy:disable app
  dokku proxy:enable app
  dokku proxy:build-config app
  dokku proxy:clear-config app
  dokku proxy:clear-config --all
  expect <<'END'
post-proxy-ports-update|app|add
post-proxy-ports-update|app|set
post-proxy-ports-update|app|remove
post-proxy-ports-update|app|clear
proxy-disable|app
proxy-enable|app
proxy-build-config|app
proxy-clear-config|app
proxy-clear-config|--all
END
}

@test "settings fire nothing" {
  dokku proxy:set app type nginx
  dokku resource:limit --cpu 1 app
  dokku docker-options:add app deploy --privileged
  dokku checks:disable app web
  dokku network:set app tld x
  dokku registry:set app server x
  dokku scheduler:set app shell sh
  dokku nginx:set app hsts false
  dokku storage:create local
  dokku storage:mount app local:/data
  dokku storage:list app
  dokku storage:report app
  dokku storage:unmount app local:/data
  dokku storage:destroy local
  dokku cron:list app
  expect </dev/null
}

@test "certificates: ports before the others, then domains without an action" {
  echo x >server.crt
  cp server.crt server.key
  dokku certs:add app "$STANDIN/server.crt" "$STANDIN/server.key"
  dokku certs:update app "$STANDIN/server.crt" "$STANDIN/server.key"
  dokku certs:remove app
  expect <<'END'
post-certs-update|app
post-domains-update|app
post-certs-update|app
post-domains-update|app
post-certs-remove|app
post-domains-update|app
END
  run dokku certs:remove app
  [ "$status" -eq 1 ]
}

@test "registry:login: server and user, the password by the environment" {
  printf '#!/bin/sh\necho "$* $DOCKER_REGISTRY_PASS" >>%s/calls\n' "$STANDIN" | entry scheduler-toy post-registry-login
  dokku registry:login app r.example.com user pw
  expect <<<'r.example.com user pw'
}

@test "nginx commands ask the scheduler, with the proxy's type" {
  dokku nginx:show-config app
  dokku proxy:set app k3s
  dokku nginx:access-logs app
  dokku nginx:error-logs app -t
  dokku proxy:set app type ''
  expect <<'END'
scheduler-proxy-config|toy|app|nginx
scheduler-proxy-logs|toy|app|k3s|access|false|20
scheduler-proxy-logs|toy|app|k3s|error|true|0
END
}

@test "cron:set, suspend, resume write" {
  mkdir -p "$DOKKU_LIB_ROOT/data/app-json/app"
  echo '{"cron": [{"command": "true", "schedule": "@daily"}]}' >"$DOKKU_LIB_ROOT/data/app-json/app/app.json"
  id=$(dokku cron:list app --format json | jq -r '.[0].id')
  dokku cron:set app mailto x
  dokku cron:suspend app "$id"
  dokku cron:resume app "$id"
  dokku cron:set --global mailto x
  expect <<'END'
scheduler-cron-write|toy|app
scheduler-cron-write|toy|app
scheduler-cron-write|toy|app
scheduler-cron-write|docker-local
END
  run dokku cron:run app nosuch
  [ "$status" -eq 1 ]
}

@test "storage with scheduler k3s: the entry on stdin" {
  for name in storage-create storage-destroy storage-status; do
    printf '#!/bin/sh\nprintf "%s|%%s|" "$1" >>%s/calls; cat >>%s/calls; echo >>%s/calls; echo Bound\n' \
      "$name" "$STANDIN" "$STANDIN" "$STANDIN" | entry scheduler-toy "$name"
  done
  dokku storage:create vol --scheduler k3s --size 1Gi
  dokku storage:set vol size 2Gi
  dokku storage:annotations:set vol a.b/c 'x y'
  dokku storage:wait vol
  dokku storage:mount app vol:/data
  run dokku storage:destroy vol
  [ "$status" -eq 1 ]
  dokku storage:unmount app vol:/data
  dokku storage:destroy vol
  [ "$(sed 's/ //g' calls)" = "$(cat <<'END'
storage-create|vol|{"name":"vol","scheduler":"k3s","size":"1Gi","schema_version":1}
storage-create|vol|{"name":"vol","scheduler":"k3s","size":"2Gi","schema_version":1}
storage-create|vol|{"name":"vol","scheduler":"k3s","size":"2Gi","schema_version":1,"annotations":{"a.b/c":"xy"}}
storage-status|vol|{"name":"vol","scheduler":"k3s","size":"2Gi","schema_version":1,"annotations":{"a.b/c":"xy"}}
storage-destroy|vol|{"name":"vol","scheduler":"k3s","size":"2Gi","schema_version":1,"annotations":{"a.b/c":"xy"}}
END
)" ]
}

@test "storage with scheduler k3s: refusals" {
  run dokku storage:create vol --scheduler other
  [ "$status" -eq 1 ]
  printf '#!/bin/sh\nexit 0\n' | entry scheduler-toy storage-create
  dokku storage:create vol --scheduler k3s
  printf '#!/bin/sh\necho no >&2; exit 1\n' | entry scheduler-toy storage-create
  run dokku storage:set vol size 2Gi
  [ "$status" -eq 1 ]
  [ "$(jq -r .size "$DOKKU_LIB_ROOT/data/storage-registry/entries/vol.json")" = 2Gi ]
  run dokku storage:create vol --scheduler k3s
  [ "$status" -eq 1 ]
  [ ! -e "$DOKKU_LIB_ROOT/data/storage-registry/entries/vol.json" ]
  printf '#!/bin/sh\necho Pending\n' | entry scheduler-toy storage-status
  printf '#!/bin/sh\nexit 1\n' | entry scheduler-toy storage-destroy
  printf '#!/bin/sh\nexit 0\n' | entry scheduler-toy storage-create
  dokku storage:create vol --scheduler k3s
  run dokku storage:wait vol --timeout 1
  [ "$status" -eq 1 ]
  run dokku storage:destroy vol
  [ "$status" -eq 1 ]
  [ -e "$DOKKU_LIB_ROOT/data/storage-registry/entries/vol.json" ]
}

@test "apps:create" {
  dokku apps:create fresh
  expect <<'END'
post-config-update|fresh|set|NO_VHOST
post-domains-update|fresh|disable
post-create|fresh
END
  dokku domains:set-global example.com
  dokku apps:create second
  expect <<'END'
post-domains-update|second|add|second.example.com
post-create|second
END
  dokku domains:clear-global
  run dokku apps:create fresh
  [ "$status" -eq 1 ]
}

@test "apps:destroy: in order, scheduler property gone at post-delete, the first failure stops it" {
  dokku apps:create doomed
  dokku scheduler:set doomed selected toy
  : >calls
  run dokku apps:destroy doomed <<<no
  [ "$status" -eq 1 ]
  [ -d "$DOKKU_ROOT/doomed" ]
  printf '#!/bin/sh\nexit 9\n' | entry scheduler-toy scheduler-post-delete
  run dokku apps:destroy --force doomed
  [ "$status" -eq 1 ]
  [ -d "$DOKKU_ROOT/doomed" ]
  expect <<<$'pre-delete|doomed|latest\nscheduler-stop|toy|doomed|true'
  record scheduler-toy scheduler-post-delete
  dokku apps:destroy doomed <<<doomed
  expect <<'END'
pre-delete|doomed|latest
scheduler-stop|toy|doomed|true
scheduler-post-delete|toy|doomed|latest
scheduler-cron-write|toy|doomed
post-delete|doomed|latest
scheduler-retire|toy|doomed
END
  [ ! -e "$DOKKU_ROOT/doomed" ]
  [ ! -e "$DOKKU_LIB_ROOT/config/scheduler/doomed" ]
}

@test "apps:clone: settings are copied, certificates are not" {
  dokku apps:create source
  dokku scheduler:set source selected toy
  dokku config:set source A=1
  dokku ps:scale source web=3
  : >calls
  dokku apps:clone source copy
  only 'post-app|post-create|post-certs'
  expect <<'END'
post-create|copy
post-certs-remove|copy
post-app-clone-setup|source|copy
post-app-clone|source|copy
END
  [ "$(dokku config:get copy A) $(trigger scheduler-detect copy) $(trigger ps-current-scale copy)" = '1 toy web=3' ]
}

@test "apps:rename: the old app is destroyed with the host's scheduler" {
  dokku apps:create before
  dokku scheduler:set before selected toy
  dokku domains:add before x.example.com
  printf '#!/bin/sh\necho "post-app-rename-setup|$1|$2|$(plugn trigger scheduler-detect "$2")" >>%s/calls\n' "$STANDIN" |
    entry scheduler-toy post-app-rename-setup
  printf '#!/bin/sh\necho "post-app-rename|$1|$2|$SKIP_REBUILD" >>%s/calls\n' "$STANDIN" | entry scheduler-toy post-app-rename
  : >calls
  dokku apps:rename before after
  only 'post-app|post-create|scheduler|delete'
  expect <<'END'
post-create|after
post-app-rename-setup|before|after|toy
pre-delete|before|latest
scheduler-cron-write|docker-local|before
scheduler-stop|docker-local|before|true
scheduler-post-delete|docker-local|before|latest
scheduler-cron-write|docker-local|before
post-delete|before|latest
scheduler-retire|docker-local|before
post-app-rename|before|after|true
END
  [ "$(trigger domains-list after)" = x.example.com ]
  run dokku apps:exists before
  [ "$status" -eq 20 ]
}

@test "report fires report, and prints every plugin's" {
  printf '#!/bin/sh\necho "toy of $1"\n' | entry scheduler-toy report
  run dokku report app
  [ "$status" -eq 0 ]
  [[ $output == *'=====> app ps information'*'=====> app scheduler information'*'toy of app'* ]]
}
