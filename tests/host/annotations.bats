#!/usr/bin/env bats
# scheduler-k3s:annotations:set and annotations:report as dokku calls them.

bats_require_minimum_version 1.5.0
APPS="web api"
load plugin_host

@test "an annotation is stored silently, in a private map of dokku's" {
  run --separate-stderr dokku scheduler-k3s:annotations:set web example.com/team a --process-type web --resource-type pod
  [ "$status" -eq 0 ]
  [ -z "$output$stderr" ]
  [ "$(cat "$STORE/web/web.pod")" = '{"example.com/team":"a"}' ]
  [ "$(stat -c '%a %U:%G' "$STORE/web/web.pod")" = "600 dokku:dokku" ]
}

@test "without a process type it is for all, flags stand anywhere" {
  dokku scheduler-k3s:annotations:set --resource-type=deployment web b 2
  dokku scheduler-k3s:annotations:set web --resource-type deployment a 1
  dokku scheduler-k3s:annotations:set web c 3 --process-type --global --resource-type deployment
  [ "$(cat "$STORE/web/--global.deployment")" = '{"a":"1","b":"2","c":"3"}' ]
}

@test "the global scope" {
  dokku scheduler-k3s:annotations:set --global a 1 --resource-type ingress
  [ "$(cat "$STORE/--global/--global.ingress")" = '{"a":"1"}' ]
  run dokku scheduler-k3s:annotations:report --global --format json
  [ "$output" = '{"global.ingress.a":"1"}' ]
  run dokku scheduler-k3s:annotations:report --global
  [ "${lines[0]}" = "=====> --global annotations information" ]
}

@test "the alias and the app of dokku --app" {
  dokku k3s:annotations:set web a 1 --resource-type pod
  dokku --app web scheduler-k3s:annotations:set b 2 --resource-type pod
  dokku --app web scheduler-k3s:annotations:set web2 3 --resource-type pod
  run dokku --app web scheduler-k3s:annotations:report --format json
  [ "$output" = '{"global.pod.a":"1","global.pod.b":"2","global.pod.web2":"3"}' ]
}

@test "an empty or missing value removes the key, {} is what remains" {
  dokku scheduler-k3s:annotations:set web a 1 --resource-type pod
  dokku scheduler-k3s:annotations:set web b 2 --resource-type pod
  run dokku scheduler-k3s:annotations:set web a "" --resource-type pod
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$(cat "$STORE/web/--global.pod")" = '{"b":"2"}' ]
  for _ in 1 2; do
    run dokku scheduler-k3s:annotations:set web b --resource-type pod
    [ "$status" -eq 0 ]
    [ "$(cat "$STORE/web/--global.pod")" = '{}' ]
  done
  run dokku scheduler-k3s:annotations:report web --format json
  [ "$output" = '{}' ]
}

@test "slashes in keys and newlines in values survive the round trip" {
  value=$'if ($x) {\n  return 403; # "é" <&>\n}\n'
  dokku scheduler-k3s:annotations:set web nginx.ingress.kubernetes.io/server-snippet "$value" --resource-type ingress
  dokku scheduler-k3s:annotations:report web --scheduler-k3s-annotations.global.ingress.nginx.ingress.kubernetes.io/server-snippet >"$STANDIN/shown"
  printf '%s\n' "$value" | cmp - "$STANDIN/shown"
  read='import json, sys; sys.stdout.write(json.load(sys.stdin)["global.ingress.nginx.ingress.kubernetes.io/server-snippet"])'
  dokku scheduler-k3s:annotations:report web --format json | /usr/bin/python3 -c "$read" >"$STANDIN/shown"
  printf '%s' "$value" | cmp - "$STANDIN/shown"
}

@test "a cron id stands for a process type" {
  id=2z18j67uhp8m8a2zgpo153oh5n0t3pv367k5j5ovg37vjnr2asxu8n5a5vzde3fkkkq
  dokku scheduler-k3s:annotations:set web a 1 --process-type "$id" --resource-type cronjob
  run dokku scheduler-k3s:annotations:report web --format json
  [ "$output" = "{\"$id.cronjob.a\":\"1\"}" ]
}

@test "a missing resource type" {
  run dokku scheduler-k3s:annotations:set web a 1
  [ "$status" -eq 1 ]
  [ "$output" = " !     Missing resource-type" ]
}

@test "every resource type is known, others are refused with the list" {
  types="certificate cronjob deployment ingress job keda_scaled_object keda_secret keda_trigger_authentication pod secret service serviceaccount traefik_ingressroute traefik_middleware"
  for type in $types; do
    dokku scheduler-k3s:annotations:set web a 1 --resource-type "$type"
    [ -e "$STORE/web/--global.$type" ]
  done
  run dokku scheduler-k3s:annotations:set web a 1 --resource-type pods
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid resource-type: pods, valid types: ${types// /, }" ]
}

@test "what an older version stored against the rules can still be removed" {
  as_dokku mkdir -p "$STORE/web"
  as_dokku sh -c "printf '{\"a b\":\"1\"}' >$STORE/web/web.nonsense"
  run dokku scheduler-k3s:annotations:set web "a b" --process-type web --resource-type nonsense
  [ "$status" -eq 0 ]
  [ "$(cat "$STORE/web/web.nonsense")" = '{}' ]
}

@test "refused keys, processes and apps change nothing" {
  for key in "a b" -- "a//b" "/b" "a/" "_x" "Ä" "$(printf 'a%.0s' {1..64})" "a_b/c"; do
    run dokku scheduler-k3s:annotations:set --resource-type pod -- web "$key" 1
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid annotation key: $key, must be "*"for example "* ]]
  done
  for process in ../api a/b .. "a b" -x labels chart trigger-auth node-sysctls node-profile-x; do
    run dokku scheduler-k3s:annotations:set web a 1 --resource-type pod "--process-type=$process"
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid process-type: $process, must be "*"for example web" ]]
  done
  for resource in ../../x pod/.. ..; do
    run dokku scheduler-k3s:annotations:set web a --resource-type "$resource"
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid resource-type: $resource, "* ]]
  done
  run dokku scheduler-k3s:annotations:set nope a 1 --resource-type pod
  [ "$status" -eq 20 ]
  [ "$output" = " !     App nope does not exist" ]
  run dokku scheduler-k3s:annotations:set
  [ "$status" -eq 1 ]
  [ "$output" = " !     Please specify an app to run the command on" ]
  run dokku scheduler-k3s:annotations:set web --resource-type pod
  [ "$status" -eq 1 ]
  [ "$output" = " !     No property specified" ]
  run dokku scheduler-k3s:annotations:set web a b c --resource-type pod
  [ "$status" -eq 2 ]
  [[ $output == *"Unexpected argument: c" ]]
  [ ! -e "$STORE/web" ]
}

@test "a file that holds no map is named, by set and by report" {
  as_dokku mkdir -p "$STORE/web"
  for content in '{"a":' '[]' '7' "$(printf '[%.0s' {1..20000})"; do
    as_dokku sh -c "printf %s '$content' >$STORE/web/web.pod"
    run dokku scheduler-k3s:annotations:report web --format yaml
    [ "$status" -eq 1 ]
    [[ $output == " !     Unable to parse scheduler-k3s map property web.web.pod as JSON: "* ]]
    run dokku scheduler-k3s:annotations:set web a 1 --process-type web --resource-type pod
    [ "$status" -eq 1 ]
    [[ $output == " !     Unable to set property map entry: Unable to parse scheduler-k3s map property web.web.pod as JSON: "* ]]
    run dokku scheduler-k3s:annotations:set web a --process-type web --resource-type pod
    [[ $output == " !     Unable to delete property map entry: Unable to parse"* ]]
    [ "$(cat "$STORE/web/web.pod")" = "$content" ]
  done
}

@test "two commands at once lose nothing of each other" {
  for number in 1 2 3 4 5 6 7 8; do
    dokku scheduler-k3s:annotations:set web "key$number" "$number" --resource-type pod &
  done
  wait
  [ "$(cat "$STORE/web/--global.pod")" = '{"key1":"1","key2":"2","key3":"3","key4":"4","key5":"5","key6":"6","key7":"7","key8":"8"}' ]
}

@test "the text report" {
  dokku scheduler-k3s:annotations:set web a.b/c value --process-type web --resource-type pod
  dokku scheduler-k3s:annotations:set web a.b/a $'one\ntwo' --process-type web --resource-type pod
  dokku scheduler-k3s:annotations:set web x y --resource-type deployment
  dokku scheduler-k3s:annotations:set web example.com/quite-long-a-key v --process-type worker --resource-type service
  dokku scheduler-k3s:annotations:set web a w --process-type worker --resource-type service
  dokku scheduler-k3s:labels:set web hidden h --resource-type service
  run --separate-stderr dokku scheduler-k3s:annotations:report web
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [ "$output" = "=====> web annotations information
       Annotation (global/deployment) x: y
       Annotation (web/pod) a.b/a:    one
two
       Annotation (web/pod) a.b/c:    value
       Annotation (worker/service) a:                            w
       Annotation (worker/service) example.com/quite-long-a-key: v" ]
}

@test "without entries the header remains" {
  run dokku scheduler-k3s:annotations:report web
  [ "$status" -eq 0 ]
  [ "$output" = "=====> web annotations information" ]
}

@test "json, flags and filters" {
  dokku scheduler-k3s:annotations:set web k all --resource-type pod
  dokku scheduler-k3s:annotations:set web k web --process-type web --resource-type pod
  dokku scheduler-k3s:annotations:set web k svc --process-type web --resource-type service
  run dokku scheduler-k3s:annotations:report web --format json
  [ "$output" = '{"global.pod.k":"all","web.pod.k":"web","web.service.k":"svc"}' ]
  run dokku scheduler-k3s:annotations:report web --format json --process-type web
  [ "$output" = '{"web.pod.k":"web","web.service.k":"svc"}' ]
  run dokku scheduler-k3s:annotations:report web --format json --resource-type pod --process-type --global
  [ "$output" = '{"global.pod.k":"all"}' ]
  run dokku scheduler-k3s:annotations:report web --format json --process-type global
  [ "$output" = '{}' ]
  run dokku scheduler-k3s:annotations:report web --scheduler-k3s-annotations.global.pod.k
  [ "$status" -eq 0 ]
  [ "$output" = all ]
  run dokku scheduler-k3s:annotations:report web --scheduler-k3s-annotations.nonsense
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid flag passed, valid flags: --scheduler-k3s-annotations.global.pod.k, --scheduler-k3s-annotations.web.pod.k, --scheduler-k3s-annotations.web.service.k" ]
  run dokku scheduler-k3s:annotations:report api --scheduler-k3s-annotations.x
  [ "$output" = " !     Invalid flag passed, valid flags: " ]
}

@test "refusals of the report, in their order" {
  run dokku scheduler-k3s:annotations:report nope --scheduler-k3s-annotations.a --scheduler-k3s-annotations.b
  [ "$status" -eq 1 ]
  [ "$output" = " !     only a single info flag may be specified" ]
  run dokku scheduler-k3s:annotations:report nope --format yaml
  [ "$status" -eq 20 ]
  [ "$output" = " !     App nope does not exist" ]
  run dokku scheduler-k3s:annotations:report web --format yaml --scheduler-k3s-annotations.a
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid format: yaml" ]
  run dokku scheduler-k3s:annotations:report web --format json --scheduler-k3s-annotations.a
  [ "$status" -eq 1 ]
  [ "$output" = " !     --format flag cannot be specified when specifying an info flag" ]
  run dokku scheduler-k3s:annotations:report web api
  [ "$status" -eq 2 ]
}

@test "all apps, one json object per line" {
  dokku scheduler-k3s:annotations:set web k 1 --resource-type pod
  run dokku scheduler-k3s:annotations:report --format json
  [ "$output" = '{}
{"global.pod.k":"1"}' ]
  run dokku scheduler-k3s:annotations:report
  [ "$(grep '=====>' <<<"$output")" = "=====> api annotations information
=====> web annotations information" ]
  run dokku --quiet scheduler-k3s:annotations:report
  [ "$output" = "       Annotation (global/pod) k:     1" ]
}

@test "the first app that fails ends the report of all" {
  as_dokku mkdir -p "$STORE/api"
  as_dokku sh -c "echo nonsense >$STORE/api/web.pod"
  run --separate-stderr dokku scheduler-k3s:annotations:report
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr == *"Unable to parse scheduler-k3s map property api.web.pod as JSON"* ]]
}

@test "help" {
  for command in set report; do
    run --separate-stderr dokku "scheduler-k3s:annotations:$command" --help
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [[ $stderr == "Usage: dokku scheduler-k3s:annotations:$command "*"--resource-type"* ]]
  done
}

@test "no apps at all is a warning" {
  dokku --force apps:destroy web
  dokku --force apps:destroy api
  run --separate-stderr dokku scheduler-k3s:annotations:report
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ $stderr == *"!     You haven't deployed any applications yet" ]]
}
