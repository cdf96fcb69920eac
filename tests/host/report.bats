#!/usr/bin/env bats
# scheduler-k3s:report, the report trigger and show-kubeconfig as dokku calls them.

bats_require_minimum_version 1.5.0
APPS="web api"
load plugin_host

json() {
  /usr/bin/python3 -c 'import json, sys; data = json.load(sys.stdin); print(data[sys.argv[1]])' "$1"
}

@test "the text report has its header in a pipe too, and the values in one column" {
  dokku scheduler-k3s:set web namespace team-a
  report=$(dokku scheduler-k3s:report web | cat)
  [ "$(head -n 1 <<<"$report")" = "=====> web scheduler-k3s information" ]
  [ "$(wc -l <<<"$report")" -eq 56 ]
  grep -qxF "       Scheduler k3s cert issuer kind:                " <<<"$report"
  grep -qxF "       Scheduler k3s computed deploy timeout:         300s" <<<"$report"
  grep -qxF "       Scheduler k3s namespace:                       team-a" <<<"$report"
  grep -qxF "       Scheduler k3s computed namespace:              team-a" <<<"$report"
  grep -qxF "       Scheduler k3s global namespace:                " <<<"$report"
  [ "$(tail -n +2 <<<"$report")" = "$(tail -n +2 <<<"$report" | LC_ALL=C sort)" ]
}

@test "the global report" {
  dokku scheduler-k3s:set --global namespace host
  run dokku scheduler-k3s:report --global
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "=====> --global scheduler-k3s information" ]
  [ "${#lines[@]}" -eq 46 ]
  [[ $output == *"Scheduler k3s computed namespace:              host"* ]]
  [[ $output != *"Scheduler k3s namespace:"* ]]
  run dokku scheduler-k3s:report web --global
  [ "${lines[0]}" = "=====> --global scheduler-k3s information" ]
}

@test "an info flag gives the bare value" {
  dokku scheduler-k3s:set web namespace team-a
  run dokku scheduler-k3s:report web --scheduler-k3s-namespace
  [ "$output" = team-a ]
  dokku scheduler-k3s:report web --scheduler-k3s-global-namespace >"$STANDIN/shown"
  echo | cmp - "$STANDIN/shown"
  run dokku scheduler-k3s:report --scheduler-k3s-computed-deploy-timeout web
  [ "$output" = 300s ]
}

@test "an unknown info flag names the valid ones" {
  for flag in --scheduler-k3s-nonsense --format=json --help --scheduler-k3s-global-token; do
    run dokku scheduler-k3s:report web "$flag"
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid flag passed, valid flags: --scheduler-k3s-cert-issuer-kind, "*", --scheduler-k3s-shm-size" ]]
  done
}

@test "json has every key twice, as text" {
  dokku scheduler-k3s:set web namespace team-a
  report=$(dokku scheduler-k3s:report web --format json)
  [ "$(wc -l <<<"$report")" -eq 1 ]
  [ "$(json computed-namespace <<<"$report")" = team-a ]
  [ "$(json scheduler-k3s-computed-namespace <<<"$report")" = team-a ]
  jq --exit-status '. as $all | keys | map(select(startswith("scheduler-k3s-") | not)) | length * 2 == ($all | length) and
    all(.[]; $all[.] == $all["scheduler-k3s-" + .])' <<<"$report"
  count='import json, sys; d = json.load(sys.stdin); print(len(d), all(isinstance(v, str) for v in d.values()))'
  [ "$(/usr/bin/python3 -c "$count" <<<"$report")" = "110 True" ]
  [ "$(dokku scheduler-k3s:report --global --format json | /usr/bin/python3 -c "$count")" = "90 True" ]
}

@test "formats and flags that do not go together" {
  run dokku scheduler-k3s:report web --format yaml
  [ "$status" -eq 1 ]
  [ "$output" = ' !     Format must be "stdout" or "json": "yaml"' ]
  run dokku scheduler-k3s:report web --format json --scheduler-k3s-namespace
  [ "$status" -eq 1 ]
  [ "$output" = " !     --format flag cannot be specified when specifying an info flag" ]
  run dokku scheduler-k3s:report web --scheduler-k3s-namespace --scheduler-k3s-shm-size
  [ "$status" -eq 1 ]
  [ "$output" = " !     scheduler-k3s:report command allows only a single flag" ]
  run dokku scheduler-k3s:report web --format
  [ "$status" -eq 2 ]
  run dokku scheduler-k3s:report web api
  [ "$status" -eq 2 ]
  [[ $output == *"Unexpected argument: api" ]]
}

@test "an unknown app" {
  run dokku scheduler-k3s:report nope
  [ "$status" -eq 20 ]
  [ "$output" = " !     App nope does not exist" ]
}

@test "all apps, one after the other" {
  dokku scheduler-k3s:set web namespace of-web
  dokku scheduler-k3s:set api namespace of-api
  run dokku scheduler-k3s:report
  [ "$(grep '=====>' <<<"$output")" = "=====> api scheduler-k3s information
=====> web scheduler-k3s information" ]
  run dokku scheduler-k3s:report --format json
  [ "${#lines[@]}" -eq 2 ]
  run dokku scheduler-k3s:report --scheduler-k3s-namespace
  [ "$output" = "of-api
of-web" ]
}

@test "the token is stars in the text and itself when asked for" {
  run dokku scheduler-k3s:report --global
  [[ $output == *"Scheduler k3s global token:                    "$'\n'* ]] || [[ $output == *"Scheduler k3s global token:                    " ]]
  dokku scheduler-k3s:set --global token canary
  run dokku scheduler-k3s:report --global
  [[ $output == *"Scheduler k3s global token:                    *******"* ]]
  [[ $output != *canary* ]]
  [ "$(dokku scheduler-k3s:report --global --format json | json global-token)" = canary ]
  run dokku scheduler-k3s:report --global --scheduler-k3s-global-token
  [ "$output" = canary ]
}

@test "chart overrides come and go in both reports" {
  dokku scheduler-k3s:set --global chart.traefik.service.type/x NodePort
  for scope in web --global; do
    run dokku scheduler-k3s:report "$scope"
    expected=$(printf '       %-51s%s\n' 'Scheduler k3s global chart repository url:' '' 'Scheduler k3s global chart traefik service type/x:' NodePort \
      'Scheduler k3s global charts disabled:' '')
    [[ $output == *"$expected"* ]]
    run dokku scheduler-k3s:report "$scope" --scheduler-k3s-global-chart.traefik.service.type/x
    [ "$output" = NodePort ]
  done
  dokku scheduler-k3s:set --global chart.traefik.service.type/x
  for scope in web --global; do
    run dokku scheduler-k3s:report "$scope"
    [[ $status == 0 && $output != *"chart traefik"* ]]
    run dokku scheduler-k3s:report "$scope" --format json
    [[ $status == 0 && $output != *chart.traefik* ]]
  done
}

@test "the app of dokku --app" {
  run dokku --app web scheduler-k3s:report
  [ "${lines[0]}" = "=====> web scheduler-k3s information" ]
  run dokku scheduler-k3s:report --app web --scheduler-k3s-computed-namespace
  [ "$output" = default ]
}

@test "quiet silences the header only" {
  run dokku --quiet scheduler-k3s:report web
  [ "${#lines[@]}" -eq 55 ]
  [[ ${lines[0]} == "       Scheduler k3s cert issuer kind:"* ]]
}

@test "dokku report includes it, whatever the app's scheduler" {
  expected=$(dokku scheduler-k3s:report web)
  [ "$(trigger report web)" != "" ]
  [[ $(trigger report web) == *"$expected"* ]]
  run trigger report nope
  [ "$status" -ne 0 ]
  [[ $output == *"App nope does not exist"* ]]
}

@test "show-kubeconfig prints the file as it is and a newline" {
  printf 'a: \xff\nb' >"$STANDIN/kubeconfig"
  chmod 644 "$STANDIN/kubeconfig"
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/kubeconfig"
  dokku scheduler-k3s:show-kubeconfig >"$STANDIN/shown"
  { cat "$STANDIN/kubeconfig" && echo; } | cmp - "$STANDIN/shown"
}

@test "show-kubeconfig without a readable file" {
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/none"
  run dokku scheduler-k3s:show-kubeconfig
  [ "$status" -eq 1 ]
  [ "$output" = " !     Kubeconfig file does not exist: $STANDIN/none" ]
  mkdir -p "$STANDIN/folder"
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/folder"
  run dokku scheduler-k3s:show-kubeconfig
  [[ $output == " !     Unable to read kubeconfig file: $STANDIN/folder"* ]]
  install -m 600 /dev/null "$STANDIN/secret"
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/secret"
  run dokku scheduler-k3s:show-kubeconfig
  [ "$status" -eq 1 ]
  [[ $output == " !     Unable to read kubeconfig file: $STANDIN/secret"* ]]
  run dokku scheduler-k3s:show-kubeconfig surplus
  [ "$status" -eq 2 ]
}

@test "no apps at all is a warning" {
  dokku --force apps:destroy web
  dokku --force apps:destroy api
  run --separate-stderr dokku scheduler-k3s:report
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ $stderr == *"!     You haven't deployed any applications yet" ]]
}
