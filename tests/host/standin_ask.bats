# What a scheduler asks: triggers, files and programs of the core plugins.
# shellcheck disable=SC2016,SC2164
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  standin_setup
  dokku apps:create app
  export DATA=$DOKKU_LIB_ROOT/data
}

teardown_file() {
  standin_teardown
}

setup() {
  cd "$STANDIN"
}

# Writes stdin as the promoted file $2 of plugin $1.
promoted() {
  mkdir -p "$DATA/$1/app"
  cat >"$DATA/$1/app/$2"
}

direct() {
  local plugin=$1
  shift
  as_dokku "$DOKKU_LIB_ROOT/plugins/available/$plugin/subcommands/$1" "${@:2}"
}

@test "registry: server, repo, tag" {
  [ -z "$(trigger deployed-app-repository app)" ]
  [ "$(trigger deployed-app-image-repo app)" = dokku/app ]
  [ -z "$(trigger deployed-app-image-tag app)" ]
  dokku registry:set --global server registry.example.com/
  [ "$(trigger deployed-app-repository app)" = registry.example.com/ ]
  for hub in hub.docker.com docker.io; do
    dokku registry:set app server "$hub"
    [ -z "$(trigger deployed-app-repository app)" ]
  done
  dokku registry:set app server
  dokku registry:set --global image-repo-template 'team/{{ .AppName }}-x'
  [ "$(trigger deployed-app-image-repo app)" = team/app-x ]
  dokku registry:set app image-repo own/name
  [ "$(trigger deployed-app-image-repo app)" = own/name ]
  dokku registry:set app push-on-release true
  [ "$(trigger deployed-app-image-tag app)" = 1 ]
  [ "$(dokku registry:report app --format json | jq -r '."computed-push-on-release"')" = true ]
}

@test "builder and git" {
  trigger builder-set-property app detected dockerfile
  [ "$(trigger builder-get-property app detected)" = dockerfile ]
  [ -z "$(trigger git-get-property app source-image)" ]
  run trigger git-get-property app deploy-branch
  [ "$status" -eq 1 ]
  [ "$(trigger git-deploy-branch app)" = master ]
  run trigger git-has-code app
  [ "$status" -eq 1 ]
}

@test "scale: sorted, no final newline, removed types at 0" {
  dokku ps:scale app web=2 worker=1 release=0
  [ "$(trigger ps-current-scale app | od -An -c | tr -d ' \n')" = 'release=0\nweb=2\nworker=1' ]
  printf 'gone=0\n' >"$DOKKU_LIB_ROOT/config/ps/app/scale.old"
  [ "$(trigger ps-current-scale app)" = $'gone=0\nrelease=0\nweb=2\nworker=1' ]
  rm "$DOKKU_LIB_ROOT/config/ps/app/scale.old"
}

@test "Procfile commands: variables are filled in even in quotes" {
  run trigger procfile-get-command app web 5000
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run trigger procfile-exists app
  [ "$status" -eq 1 ]
  promoted ps Procfile <<<$'web: node server.js --port $PORT "a b" \'${X}\' [$UNSET]\nworker: sleep 1'
  dokku config:set --no-restart app X='two words'
  [ "$(trigger procfile-get-command app web 5000)" = "node server.js --port 5000 \"a b\" 'two words' []" ]
  trigger procfile-exists app
  run trigger procfile-get-command app nosuch 5000
  [ "$status" -eq 1 ]
  [ -n "$output" ]
}

@test "files of the deploy under way win over the promoted ones" {
  promoted ps Procfile <<<'web: old'
  echo '#!/bin/sh
echo "web: new" >"$DOKKU_LIB_ROOT/data/ps/app/Procfile.$DOKKU_PID"
plugn trigger procfile-get-command app web 1
touch "$DOKKU_LIB_ROOT/data/ps/app/Procfile.$DOKKU_PID.missing"
plugn trigger procfile-exists app || echo missing
rm "$DOKKU_LIB_ROOT"/data/ps/app/Procfile.*' >own-deploy
  chmod 755 own-deploy
  chown -R dokku "$DATA/ps"
  [ "$(as_dokku "$STANDIN/own-deploy")" = $'new\nmissing' ]
  [ "$(trigger procfile-get-command app web 1)" = old ]
}

@test "ps properties" {
  [ "$(trigger ps-get-property app stop-timeout-seconds)" = 30 ]
  dokku ps:set --global stop-timeout-seconds 9
  [ "$(trigger ps-get-property app stop-timeout-seconds)" = 9 ]
  [ "$(trigger ps-get-property app skip-deploy)" = false ]
  for name in start-cmd nosuch; do
    run trigger ps-get-property app "$name"
    [ "$status" -eq 1 ]
  done
  dokku ps:set app start-cmd 'x y'
  [ "$(cat "$DOKKU_LIB_ROOT/config/ps/app/start-cmd")" = 'x y' ]
}

@test "environment in its formats" {
  dokku config:clear --no-restart app
  dokku config:set --no-restart app A='1 "q" $X \n' B="it's"
  dokku config:set --no-restart app C=$'two\nlines'
  dokku config:set --global G=global B=shared
  [ "$(trigger config-export app false false json)" = '{"A":"1 \"q\" $X \\n","B":"it'"'"'s","C":"two\nlines"}' ]
  [ "$(trigger config-export app false true json | jq -r .G,.B)" = $'global\nit\'s' ]
  [ "$(trigger config-export '' true false json | jq -c .)" = '{"B":"shared","G":"global"}' ]
  [ "$(trigger config-export app false false json-list | jq -r '.[1].value')" = "it's" ]
  eval "$(trigger config-export app false false exports)"
  [ "$A" = '1 "q" $X \n' ]
  [ "$B" = "it's" ]
  [ "$C" = $'two\nlines' ]
  eval "set -- $(trigger config-export app false false docker-args)"
  [ "$1" = '--env=A=1 "q" $X \n' ]
  [ "$3" = $'--env=C=two\nlines' ]
  [ "$(trigger config-export app false false docker-args-keys)" = '--env=A --env=B --env=C' ]
  [[ $(trigger config-export app false false pretty) == "A:  1 "* ]]
  run trigger config-export nosuch false true json
  [ "$status" -eq 20 ]
  [ "$(as_dokku "$DOKKU_LIB_ROOT/plugins/available/config/config-export" app false true json | jq -r .G)" = global ]
}

@test "one variable" {
  dokku config:set --no-restart app ONE=1
  [ "$(trigger config-get app ONE | od -An -c | tr -d ' ')" = 1 ]
  run trigger config-get app NOSUCH
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  dokku config:set --global GG=2
  [ "$(trigger config-get-global GG)" = 2 ]
  trigger config-set --no-restart app TWO=2
  [ "$(dokku config:get app TWO)" = 2 ]
  trigger config-unset --no-restart app TWO
  run dokku config:get app TWO
  [ "$status" -eq 1 ]
}

@test "ports: default, detected, set, HTTPS derived from a certificate" {
  [ "$(trigger ports-get app json)" = '[{"container_port":5000,"host_port":80,"scheme":"http"}]' ]
  dokku proxy:set app proxy-port 8080
  [ "$(trigger ports-get app)" = http:8080:5000 ]
  [ "$(trigger ports-get-property app proxy-port)" = 8080 ]
  [ "$(trigger ports-get-property app proxy-ssl-port)" = 0 ]
  dokku proxy:set app proxy-port ''
  trigger ports-set-detected app http:80:3000 http:81:3001
  [ "$(trigger ports-get app)" = $'http:80:3000\nhttp:81:3001' ]
  dokku ports:set app http:80:4000 udp:53:53
  [ "$(trigger ports-get app)" = $'http:80:4000\nudp:53:53' ]
  dokku ports:clear app
  echo x >server.crt
  cp server.crt server.key
  dokku certs:add app "$STANDIN/server.crt" "$STANDIN/server.key"
  [ "$(trigger ports-get app)" = $'http:80:3000\nhttp:81:3001\nhttps:443:3000' ]
  dokku ports:set app http:80:4000
  dokku certs:update app "$STANDIN/server.crt" "$STANDIN/server.key"
  [ "$(cat "$DOKKU_LIB_ROOT/config/ports/app/map")" = $'http:80:4000\nhttps:443:4000' ]
  dokku certs:remove app
  [ "$(trigger ports-get app)" = http:80:4000 ]
}

@test "domains" {
  dokku apps:create nodomains
  run trigger domains-vhost-enabled nodomains
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  dokku domains:add app a.example.com '*.x.y'
  run trigger domains-vhost-enabled app
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$(trigger domains-list app)" = $'a.example.com\n*.x.y' ]
  dokku ports:set app http:80:5000 https:8443:5000
  [ "$(trigger domains-urls app urls)" = "$(printf '%s\n' http://a.example.com 'http://*.x.y' https://a.example.com:8443 'https://*.x.y:8443')" ]
  [ "$(trigger domains-urls app url)" = http://a.example.com ]
  dokku domains:disable app
  [ -z "$(trigger domains-list app)" ]
  [ "$(dokku config:get app NO_VHOST)" = 1 ]
  dokku domains:add app b.example.com
  [ "$(dokku config:get app NO_VHOST)" = 0 ]
}

@test "proxy" {
  [ "$(trigger proxy-is-enabled app)" = true ]
  [ "$(trigger proxy-type app)" = nginx ]
  dokku proxy:set --global k3s
  [ "$(trigger proxy-type app)" = k3s ]
  dokku proxy:set app type caddy
  [ "$(trigger proxy-type app)" = caddy ]
  dokku proxy:disable app
  [ "$(trigger proxy-is-enabled app)" = false ]
  [ "$(cat "$DOKKU_LIB_ROOT/config/proxy/app/disabled")" = true ]
  dokku proxy:enable app
  [ "$(trigger proxy-is-enabled app)" = true ]
}

@test "certificates" {
  [ "$(trigger certs-exists app)" = false ]
  run trigger certs-get app crt
  [ "$status" -eq 1 ]
  echo CRT >server.crt
  echo KEY >server.key
  dokku certs:add app "$STANDIN/server.crt" "$STANDIN/server.key"
  [ "$(trigger certs-exists app)" = true ]
  [ "$(trigger certs-get app crt) $(trigger certs-get app key)" = 'CRT KEY' ]
  [ -z "$(trigger certs-force app)" ]
  dokku certs:remove app
}

@test "nginx settings in one call" {
  dokku nginx:set app client-max-body-size 50m
  dokku nginx:set --global send-timeout 5s
  report=$(direct nginx-vhosts report nginx:report app --format json)
  for pair in client-max-body-size=50m send-timeout=5s proxy-read-timeout=60s 'proxy-buffers=8 4k' hsts=true \
    hsts-max-age=15724800 bind-address-ipv6=:: underscore-in-headers=off keepalive-timeout=75s lingering-timeout=5s \
    access-log-path=/var/log/nginx/app-access.log x-forwarded-ssl=; do
    [ "$(jq -r ".\"computed-${pair%%=*}\"" <<<"$report")" = "${pair#*=}" ] || { echo "$pair"; false; }
  done
}

@test "network properties" {
  [ "$(trigger network-get-property app bind-all-interfaces)" = false ]
  for name in attach-post-create attach-post-deploy initial-network tld; do
    [ -z "$(trigger network-get-property app $name)" ]
  done
  run trigger network-get-property app nosuch
  [ "$status" -eq 1 ]
}

@test "app.json: known keys, comments and trailing commas, wrong types" {
  [ "$(trigger app-json-get-content app)" = '{}' ]
  promoted app-json app.json <<<'{
    // a comment
    "name": "x", "cron": [{"command": "a // b", "schedule": "@daily",},], /* more */
    "formation": {"web": {"quantity": 2}},
  }'
  [ "$(trigger app-json-get-content app | jq -c 'keys, .cron')" = $'["cron","formation"]\n[{"command":"a // b","schedule":"@daily"}]' ]
  promoted app-json app.json <<<'{"cron": {}}'
  run trigger app-json-get-content app
  [ "$status" -eq 1 ]
}

@test "cron tasks: ids, policy, maintenance" {
  promoted app-json app.json <<<'{"cron": [{"command": "true", "schedule": "@daily"},
    {"command": "b", "schedule": "5 * * * *", "maintenance": true, "concurrency_policy": "replace"}]}'
  tasks=$(direct cron list cron:list app --format json)
  # app===true===@daily read as a number and written in base 36.
  [ "$(jq -r '.[0].id' <<<"$tasks")" = "$(python3 - <<<'
n, s = int.from_bytes(b"app===true===@daily", "big"), ""
while n: n, d = n // 36, n % 36; s = "0123456789abcdefghijklmnopqrstuvwxyz"[d] + s
print(s)')" ]
  [ "$(jq -c '.[0] | del(.id)' <<<"$tasks")" = '{"app":"app","command":"true","schedule":"@daily","concurrency_policy":"allow","app-in-maintenance":false,"task-in-maintenance":false,"maintenance":false}' ]
  [ "$(jq -c '.[1] | [.concurrency_policy, ."task-in-maintenance", .maintenance]' <<<"$tasks")" = '["replace",true,true]' ]
  id=$(jq -r '.[0].id' <<<"$tasks")
  dokku cron:suspend app "$id"
  [ "$(cat "$DOKKU_LIB_ROOT/config/cron/app/maintenance.$id")" = true ]
  [ "$(direct cron list cron:list app --format json | jq '.[0]."task-in-maintenance"')" = true ]
  dokku cron:resume app "$id"
  [ "$(direct cron list cron:list app --format json | jq '.[0].maintenance')" = false ]
  dokku cron:set app maintenance true
  [ "$(direct cron list cron:list app --format json | jq -c 'map(."app-in-maintenance")')" = '[true,true]' ]
  [ "$(trigger cron-get-property app maintenance)" = true ]
  [[ $(dokku cron:list app) == *"$id"* ]]
  [ -z "$(trigger cron-entries docker-local)" ]
}

@test "resources fall back to the default of all types" {
  dokku resource:limit --memory 512 app
  dokku resource:limit --process-type web --cpu 2 --memory 1g app
  dokku resource:reserve --nvidia-gpu 1 app
  [ "$(trigger resource-get-property app web limit memory)" = 1g ]
  [ "$(trigger resource-get-property app worker limit memory)" = 512 ]
  [ "$(trigger resource-get-property app worker reserve nvidia-gpu)" = 1 ]
  [ "$(trigger resource-get-property app worker limit cpu | od -An -c | tr -d ' ')" = '\n' ]
  [ "$(cat "$DOKKU_LIB_ROOT/config/resource/app/web.limit.cpu" "$DOKKU_LIB_ROOT/config/resource/app/_default_.limit.memory")" = 2512 ]
  dokku resource:limit-clear --process-type web app
  [ "$(trigger resource-get-property app web limit memory)" = 512 ]
}

@test "storage mounts with their entries" {
  [ "$(trigger storage-app-mounts app deploy)" = '[]' ]
  dokku storage:create vol --size 1Gi
  dokku storage:mount app vol:/data --phases deploy
  dokku storage:mount app vol:/run --phases run --process-type web
  mounts=$(trigger storage-app-mounts app deploy)
  [ "$(jq -c '.[] | [.entry.name, .entry.size, .attachment.container_path, .attachment.process_type]' <<<"$mounts")" = '["vol","1Gi","/data","_default_"]' ]
  [ "$(jq -c '.[0].attachment | keys' <<<"$mounts")" = '["container_path","entry_name","phases","process_type","readonly","subpath","volume_chown","volume_options"]' ]
  [ "$(trigger storage-app-mounts app run | jq -r '.[].attachment.container_path')" = /run ]
  rm "$DATA/storage-registry/entries/vol.json"
  run trigger storage-app-mounts app deploy
  [ "$status" -eq 1 ]
  [[ $(stderr_of trigger storage-list app) == *eprecated* ]]
}

@test "docker options: one a line, by type and phase" {
  dokku docker-options:add app deploy,run --cap-add NET_ADMIN
  dokku docker-options:add app deploy '--sysctl net.core.somaxconn=1024'
  dokku docker-options:add --process web app deploy --privileged
  [ "$(cat "$DOKKU_LIB_ROOT/config/docker-options/app/_default_.deploy")" = $'--cap-add NET_ADMIN\n--sysctl net.core.somaxconn=1024' ]
  [ "$(cat "$DOKKU_LIB_ROOT/config/docker-options/app/web.deploy")" = --privileged ]
  report=$(dokku docker-options:report app --format json)
  [ "$(jq -r '."deploy-list"' <<<"$report")" = $'--cap-add NET_ADMIN\n--sysctl net.core.somaxconn=1024' ]
  [ "$(jq -r '."deploy.web-list"' <<<"$report")" = --privileged ]
  [ "$(trigger docker-args-deploy app latest </dev/null)" = '--cap-add NET_ADMIN --sysctl net.core.somaxconn=1024' ]
  dokku docker-options:remove app deploy --cap-add NET_ADMIN
  [ "$(cat "$DOKKU_LIB_ROOT/config/docker-options/app/_default_.deploy")" = '--sysctl net.core.somaxconn=1024' ]
}

@test "checks and logs properties" {
  [ "$(trigger checks-get-property app wait-to-retire)" = 60 ]
  run trigger checks-get-property app disabled
  [ "$status" -eq 1 ]
  dokku checks:disable app web,worker
  dokku checks:skip app web
  [ "$(cat "$DOKKU_LIB_ROOT/config/checks/app/disabled") $(cat "$DOKKU_LIB_ROOT/config/checks/app/skipped")" = 'worker web' ]
  [ "$(dokku checks:report app --format json | jq -r '."disabled-list", ."skipped-list"')" = $'worker\nweb' ]
  dokku checks:enable app
  [ "$(dokku checks:report app --checks-disabled-list)" = none ]
  dokku checks:disable app
  [ "$(cat "$DOKKU_LIB_ROOT/config/checks/app/disabled")" = _all_ ]
  [ "$(trigger logs-get-property app max-size)" = 10m ]
  trigger logs-get-property app app-label-alias
  for words in 'app vector-sink' '--global max-size'; do
    # shellcheck disable=SC2086
    run trigger logs-get-property $words
    [ "$status" -eq 1 ]
  done
  dokku logs:set --global vector-sink 'console://?encoding[codec]=json'
  [ "$(cat "$DOKKU_LIB_ROOT/config/logs/--global/vector-sink")" = 'console://?encoding[codec]=json' ]
}

@test "deployed: asked of the scheduler once, remembered" {
  local common=$DOKKU_LIB_ROOT/core-plugins/available/common/common
  make_plugin scheduler-toy
  echo '#!/bin/sh
echo " !     noise"; exit 1' | entry scheduler-toy scheduler-is-deployed
  dokku scheduler:set app selected toy
  run as_dokku "$common" --quiet is-deployed app
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  printf '#!/bin/sh\nexit 0\n' | entry scheduler-toy scheduler-is-deployed
  run as_dokku "$common" --quiet is-deployed app
  [ "$status" -eq 1 ]
  rm "$DOKKU_LIB_ROOT/config/common/app/deployed"
  as_dokku "$common" --quiet is-deployed app
  [ "$(cat "$DOKKU_LIB_ROOT/config/common/app/deployed")" = true ]
}

@test "scheduler-detect: app, then host, then docker-local" {
  dokku apps:create detected
  [ "$(trigger scheduler-detect detected)" = docker-local ]
  dokku scheduler:set --global selected null
  [ "$(trigger scheduler-detect detected)" = null ]
  [ "$(trigger scheduler-detect --global)" = null ]
  dokku scheduler:set detected selected k3s
  [ "$(trigger scheduler-detect detected)" = k3s ]
  dokku scheduler:set --global selected
}

@test "scheduler-uses-host-cron and foreign schedulers" {
  [ "$(trigger scheduler-uses-host-cron docker-local)" = true ]
  [ "$(trigger scheduler-uses-host-cron k3s)" = false ]
  [ -z "$(trigger scheduler-app-status nosuch app)" ]
}
