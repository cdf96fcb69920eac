#!/usr/bin/env bats
# scheduler-k3s:charts:set and charts:report as dokku calls them.

bats_require_minimum_version 1.5.0
load plugin_host

@test "an override is said and stored; empty values remove it" {
  run dokku scheduler-k3s:charts:set traefik.service.type NodePort
  [ "$status" -eq 0 ]
  [ "$output" = "=====> Setting chart.traefik.service.type to NodePort" ]
  [ "$(cat "$STORE/--global/chart-overrides.traefik")" = '{"service.type":"NodePort"}' ]
  [ "$(stat -c '%a %U:%G' "$STORE/--global/chart-overrides.traefik")" = "600 dokku:dokku" ]
  for _ in 1 2; do
    run dokku scheduler-k3s:charts:set traefik.service.type
    [ "$status" -eq 0 ]
    [ "$output" = "=====> Unsetting chart.traefik.service.type" ]
    [ "$(cat "$STORE/--global/chart-overrides.traefik")" = '{}' ]
  done
  run dokku --quiet scheduler-k3s:charts:set vector.a b
  [ -z "$output" ]
}

@test "keys with slashes, values with newlines and commas survive" {
  value=$'a,b={c}\nd'
  dokku scheduler-k3s:charts:set 'vector.customConfig.x/y' "$value"
  dokku scheduler-k3s:charts:report --scheduler-k3s-charts-vector.customConfig.x/y >"$STANDIN/shown"
  printf '%s\n' "$value" | cmp - "$STANDIN/shown"
}

@test "refused properties" {
  for property in "" traefik .x traefik.; do
    run dokku scheduler-k3s:charts:set "$property" x
    [ "$status" -eq 1 ]
    [ "$output" = " !     Invalid property, expected format: <chart-name>.<property>" ]
  done
  run dokku scheduler-k3s:charts:set nginx.a x
  [ "$status" -eq 1 ]
  [ "$output" = ' !     Invalid chart name "nginx", valid charts: cert-manager, ingress-nginx, keda, keda-add-ons-http, longhorn, traefik, vector' ]
  run dokku scheduler-k3s:charts:set traefik.a b c
  [ "$status" -eq 2 ]
  [ ! -e "$STORE/--global" ]
}

@test "the text report lists every chart in install order, in one column" {
  dokku scheduler-k3s:charts:set vector.b 2
  dokku scheduler-k3s:charts:set vector.a 1
  dokku scheduler-k3s:charts:set cert-manager.replicaCount 3
  run dokku scheduler-k3s:charts:report
  [ "$status" -eq 0 ]
  [ "$output" = "=====> cert-manager chart information
       Chart property replicaCount:   3
=====> longhorn chart information
=====> traefik chart information
=====> ingress-nginx chart information
=====> keda chart information
=====> keda-add-ons-http chart information
=====> vector chart information
       Chart property a:              1
       Chart property b:              2" ]
  dokku scheduler-k3s:charts:set traefik.service.spec.loadBalancerIP 10.0.0.1
  run dokku scheduler-k3s:charts:report
  [[ $output == *"       Chart property a:                           1"* ]]
  [[ $output == *"       Chart property service.spec.loadBalancerIP: 10.0.0.1"* ]]
  run dokku scheduler-k3s:charts:report vector
  [ "$output" = "=====> vector chart information
       Chart property a:              1
       Chart property b:              2" ]
}

@test "json and flags" {
  run dokku scheduler-k3s:charts:report --format json
  [ "$output" = '{}' ]
  dokku scheduler-k3s:charts:set keda.a.b c
  dokku scheduler-k3s:charts:set keda-add-ons-http.x y
  run dokku scheduler-k3s:charts:report --format json
  [ "$output" = '{"keda-add-ons-http.x":"y","keda.a.b":"c"}' ]
  run dokku scheduler-k3s:charts:report keda --format json --global
  [ "$output" = '{"keda.a.b":"c"}' ]
  run dokku scheduler-k3s:charts:report keda --scheduler-k3s-charts-keda.a.b
  [ "$output" = c ]
  run dokku scheduler-k3s:charts:report keda --scheduler-k3s-charts-keda-add-ons-http.x
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid flag passed, valid flags: --scheduler-k3s-charts-keda.a.b" ]
}

@test "refusals of the report, in their order" {
  run dokku scheduler-k3s:charts:report nope --format yaml --scheduler-k3s-charts-a --help
  [ "$status" -eq 1 ]
  [ "$output" = " !     scheduler-k3s-charts:report command allows only a single flag" ]
  run dokku scheduler-k3s:charts:report nope --format yaml --scheduler-k3s-charts-a
  [ "$output" = " !     Invalid format: yaml" ]
  run dokku scheduler-k3s:charts:report nope --format json --scheduler-k3s-charts-a
  [ "$output" = " !     --format flag cannot be specified when specifying an info flag" ]
  run dokku scheduler-k3s:charts:report nope
  [ "$status" -eq 1 ]
  [[ $output == ' !     Invalid chart name "nope", valid charts: cert-manager, '* ]]
  run dokku scheduler-k3s:charts:report vector keda
  [ "$status" -eq 2 ]
}

@test "a file that holds no map is named" {
  as_dokku mkdir -p "$STORE/--global"
  as_dokku sh -c "printf nonsense >$STORE/--global/chart-overrides.vector"
  run dokku scheduler-k3s:charts:report
  [ "$status" -eq 1 ]
  [[ $output == " !     Unable to parse scheduler-k3s map property --global.chart-overrides.vector as JSON: "* ]]
  run --separate-stderr dokku scheduler-k3s:charts:set vector.a 1
  [ "$status" -eq 1 ]
  [[ $stderr == *"Unable to parse scheduler-k3s map property --global.chart-overrides.vector as JSON: "* ]]
}

@test "help" {
  run --separate-stderr dokku scheduler-k3s:charts:set --help
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ $stderr == "Usage: dokku scheduler-k3s:charts:set <chart-name.property> (<value>)"* ]]
}
