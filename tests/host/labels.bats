#!/usr/bin/env bats
# scheduler-k3s:labels:set and labels:report as dokku calls them.

bats_require_minimum_version 1.5.0
APPS="web api"
load plugin_host

@test "a label is stored silently, apart from the annotations" {
  run --separate-stderr dokku scheduler-k3s:labels:set web example.com/team a --process-type web --resource-type pod
  [ "$status" -eq 0 ]
  [ -z "$output$stderr" ]
  [ "$(cat "$STORE/web/labels.web.pod")" = '{"example.com/team":"a"}' ]
  [ "$(stat -c '%a %U:%G' "$STORE/web/labels.web.pod")" = "600 dokku:dokku" ]
  run dokku scheduler-k3s:annotations:report web --format json
  [ "$output" = '{}' ]
}

@test "all processes, the global scope and removal" {
  dokku scheduler-k3s:labels:set web a 1 --resource-type service
  dokku scheduler-k3s:labels:set --global b 2 --resource-type service
  [ "$(cat "$STORE/web/labels.--global.service" "$STORE/--global/labels.--global.service")" = '{"a":"1"}{"b":"2"}' ]
  dokku scheduler-k3s:labels:set --global b --resource-type service
  dokku scheduler-k3s:labels:set web never "" --resource-type service
  [ "$(cat "$STORE/web/labels.--global.service" "$STORE/--global/labels.--global.service")" = '{"a":"1"}{}' ]
}

@test "a process may be called like a part of the store" {
  dokku scheduler-k3s:labels:set web a 1 --process-type chart --resource-type pod
  run dokku scheduler-k3s:labels:report web --format json
  [ "$output" = '{"chart.pod.a":"1"}' ]
}

@test "KEDA's objects take annotations only" {
  for type in keda_scaled_object keda_secret keda_trigger_authentication; do
    run dokku scheduler-k3s:labels:set web a 1 --resource-type "$type"
    [ "$status" -eq 1 ]
    [ "$output" = " !     Invalid resource-type: $type, valid types: certificate, cronjob, deployment, ingress, job, pod, secret, service, serviceaccount, traefik_ingressroute, traefik_middleware" ]
  done
  run dokku scheduler-k3s:labels:set web a 1
  [ "$status" -eq 1 ]
  [ "$output" = " !     Missing resource-type" ]
}

@test "values and keys are Kubernetes'" {
  for value in "a b" -x x- $'a\nb' "ä" "a/b" "$(printf 'a%.0s' {1..64})"; do
    run dokku scheduler-k3s:labels:set --resource-type pod -- web a "$value"
    [ "$status" -eq 1 ]
    [[ ${lines[0]} == " !     Invalid label value: "* ]]
    [[ $output == *"for example team-a" ]]
  done
  for key in "a b" Example.com/a x- a/b/c; do
    run dokku scheduler-k3s:labels:set --resource-type pod -- web "$key" 1
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid label key: $key, "*"for example example.com/team" ]]
  done
  [ ! -e "$STORE/web" ]
  for value in n on 1e3 null 8080 true A_b.c-d "$(printf 'a%.0s' {1..63})"; do
    dokku scheduler-k3s:labels:set web Some_key.x "$value" --resource-type pod
    run dokku scheduler-k3s:labels:report web --scheduler-k3s-labels.global.pod.Some_key.x
    [ "$output" = "$value" ]
  done
}

@test "the report in its three forms" {
  dokku scheduler-k3s:labels:set web a.b/c value --process-type web --resource-type pod
  dokku scheduler-k3s:labels:set web d e --resource-type deployment
  run dokku scheduler-k3s:labels:report web
  [ "$output" = "=====> web labels information
       Label (global/deployment) d:   e
       Label (web/pod) a.b/c:         value" ]
  run dokku scheduler-k3s:labels:report web --format json --resource-type deployment
  [ "$output" = '{"global.deployment.d":"e"}' ]
  run dokku scheduler-k3s:labels:report web --scheduler-k3s-labels.web.pod.a.b/c
  [ "$output" = value ]
  run dokku scheduler-k3s:labels:report web --scheduler-k3s-labels.nope
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid flag passed, valid flags: --scheduler-k3s-labels.global.deployment.d, --scheduler-k3s-labels.web.pod.a.b/c" ]
  run dokku scheduler-k3s:labels:report web --format yaml
  [ "$output" = " !     Invalid format: yaml" ]
  run dokku scheduler-k3s:labels:report web --format json --scheduler-k3s-labels.x
  [ "$output" = " !     --format flag cannot be specified when specifying an info flag" ]
  run dokku scheduler-k3s:labels:report --format json
  [ "$output" = '{}
{"global.deployment.d":"e","web.pod.a.b/c":"value"}' ]
}

@test "without entries the header remains, {}, and no valid flag" {
  run dokku scheduler-k3s:labels:report web
  [ "$status" -eq 0 ]
  [ "$output" = "=====> web labels information" ]
  run dokku scheduler-k3s:labels:report web --format json
  [ "$output" = '{}' ]
  run dokku scheduler-k3s:labels:report web --scheduler-k3s-labels.x
  [ "$output" = " !     Invalid flag passed, valid flags: " ]
}

@test "slashes in keys survive, also where the last one of a map goes" {
  dokku scheduler-k3s:labels:set web a/b 1 --resource-type pod
  [ "$(cat "$STORE/web/labels.--global.pod")" = '{"a/b":"1"}' ]
  for _ in 1 2; do
    dokku scheduler-k3s:labels:set web a/b --resource-type pod
    [ "$(cat "$STORE/web/labels.--global.pod")" = '{}' ]
  done
}

@test "a file that holds no map is named" {
  as_dokku mkdir -p "$STORE/web"
  as_dokku sh -c "printf nonsense >$STORE/web/labels.web.pod"
  run dokku scheduler-k3s:labels:report web
  [ "$status" -eq 1 ]
  [[ $output == " !     Unable to parse scheduler-k3s map property web.labels.web.pod as JSON: "* ]]
}

@test "help" {
  for command in set report; do
    run --separate-stderr dokku "scheduler-k3s:labels:$command" --help
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku scheduler-k3s:labels:$command "*"--process-type"* ]]
  done
}

@test "what dokku and helm go by is not the user's, and can be removed where it is stored" {
  run dokku scheduler-k3s:labels:set web app.kubernetes.io/part-of other --resource-type pod
  [ "$status" -eq 1 ]
  [[ $output == " !     Invalid label key: app.kubernetes.io/part-of is dokku's own: it finds "* ]]
  run dokku scheduler-k3s:annotations:set web helm.sh/hook pre-install --resource-type job
  [ "$status" -eq 1 ]
  [[ $output == " !     Invalid annotation key: helm.sh/hook would take the object out of its release"* ]]
  [ ! -e "$STORE/web" ]
  install -d -o dokku -g dokku "$STORE/web"
  echo '{"app.kubernetes.io/part-of":"other","team":"a"}' >"$STORE/web/labels.--global.pod"
  chown dokku:dokku "$STORE/web/labels.--global.pod"
  dokku scheduler-k3s:labels:set web app.kubernetes.io/part-of --resource-type pod
  [ "$(cat "$STORE/web/labels.--global.pod")" = '{"team":"a"}' ]
}
