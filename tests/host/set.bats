#!/usr/bin/env bats
# scheduler-k3s:set as dokku calls it.

bats_require_minimum_version 1.5.0
APPS="web"
load plugin_host

@test "a property is stored as it is, in a private file of dokku's" {
  run --separate-stderr dokku scheduler-k3s:set web namespace team-a
  [ "$status" -eq 0 ]
  [ "$output" = "=====> Setting namespace to team-a" ]
  [ -z "$stderr" ]
  [ "$(cat "$STORE/web/namespace")" = team-a ]
  [ "$(stat -c '%a %U:%G %s' "$STORE/web/namespace")" = "600 dokku:dokku 6" ]
  [ "$(stat -c '%a %U:%G' "$STORE/web")" = "755 dokku:dokku" ]
}

@test "an empty value removes the property, again and again" {
  dokku scheduler-k3s:set web shm-size 64Mi
  for value in "" missing ""; do
    if [ "$value" = missing ]; then
      run dokku scheduler-k3s:set web shm-size
    else
      run dokku scheduler-k3s:set web shm-size ""
    fi
    [ "$status" -eq 0 ]
    [ "$output" = "=====> Unsetting shm-size" ]
    [ ! -e "$STORE/web/shm-size" ]
  done
}

@test "the global scope, before and after the words" {
  dokku scheduler-k3s:set --global deploy-timeout 60
  dokku scheduler-k3s:set rollback-on-failure true --global
  [ "$(cat "$STORE/--global/deploy-timeout" "$STORE/--global/rollback-on-failure")" = 60true ]
}

@test "the alias k3s: is the same command" {
  run dokku k3s:set web deploy-timeout 5m30s
  [ "$status" -eq 0 ]
  [ "$(cat "$STORE/web/deploy-timeout")" = 5m30s ]
}

@test "cert-issuer-kind is stored in Kubernetes' spelling, others are refused" {
  for given in issuer ISSUER Issuer; do
    dokku scheduler-k3s:set web cert-issuer-kind "$given"
    [ "$(cat "$STORE/web/cert-issuer-kind")" = Issuer ]
  done
  run dokku scheduler-k3s:set --global cert-issuer-kind clusterISSUER
  [ "$output" = "=====> Setting cert-issuer-kind to ClusterIssuer" ]
  run dokku scheduler-k3s:set web cert-issuer-kind Other
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid cert-issuer-kind: Other, valid values are Issuer and ClusterIssuer" ]
  [ "$(cat "$STORE/web/cert-issuer-kind")" = Issuer ]
}

@test "cert-issuer-name is false or an RFC 1123 subdomain" {
  longest=$(printf '%063d.%063d.%063d.%061d' 0 0 0 0)
  for name in false letsencrypt my.issuer-1 "$longest"; do
    dokku scheduler-k3s:set web cert-issuer-name "$name"
    [ "$(cat "$STORE/web/cert-issuer-name")" = "$name" ]
  done
  for name in Bad_Name -x. 'a b' 'a;b' "$(printf 'a%.0s' {1..254})"; do
    run dokku scheduler-k3s:set web cert-issuer-name -- "$name"
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid cert-issuer-name: $name, "* ]]
  done
}

@test "letsencrypt-server knows five words and is stored as given, prod counts where there is none" {
  run dokku scheduler-k3s:report web --scheduler-k3s-computed-letsencrypt-server
  [ "$output" = prod ]
  for server in prod production stag staging false; do
    dokku scheduler-k3s:set web letsencrypt-server "$server"
    [ "$(cat "$STORE/web/letsencrypt-server")" = "$server" ]
  done
  run dokku scheduler-k3s:set web letsencrypt-server live
  [ "$status" -eq 1 ]
  [ "$output" = " !     Invalid letsencrypt-server: live, valid values are prod, production, stag, staging, and false" ]
}

@test "every other property is checked too, before anything is stored" {
  while read -r property value; do
    run dokku scheduler-k3s:set --global "$property" "$value"
    [ "$status" -eq 1 ]
    [[ $output == " !     Invalid $property: "*"for example "* ]]
    [ "$(cat "$STORE/--global/$property" 2>/dev/null)" != "$value" ]
  done <<'TEXT'
deploy-timeout soon
namespace Team_A
shm-size 512m
rollback-on-failure perhaps
letsencrypt-email-prod nobody
kubeconfig-path relative/path
k3s-release-url ftp://mirror
chart-repository-url mirror
charts-disabled nginx,longhorn
node-registries yes
kustomize-root-path ../secrets
TEXT
}

@test "refusals in their order" {
  run dokku scheduler-k3s:set nope cert-issuer-kind Other
  [[ $output == " !     Invalid cert-issuer-kind: Other"* ]]
  run dokku scheduler-k3s:set nope namespace x
  [ "$status" -eq 20 ]
  [ "$output" = " !     App nope does not exist" ]
  run dokku scheduler-k3s:set
  [ "$status" -eq 1 ]
  [ "$output" = " !     Please specify an app to run the command on" ]
  run dokku scheduler-k3s:set -- -app x
  [ "$status" -eq 1 ]
  [[ $output == " !     App name must begin with lowercase alphanumeric character, and may only contain"* ]]
  run dokku scheduler-k3s:set --global
  [ "$status" -eq 1 ]
  [ "$output" = " !     Property cannot be specified globally" ]
  run dokku scheduler-k3s:set --global nonsense x
  [ "$output" = " !     Property cannot be specified globally" ]
  run dokku scheduler-k3s:set web
  [ "$status" -eq 1 ]
  [ "$output" = " !     No property specified" ]
  run dokku scheduler-k3s:set web nonsense x
  [ "$status" -eq 1 ]
  [[ $output == " !     Invalid property specified, valid properties include: cert-issuer-kind, cert-issuer-name, "*", token" ]]
}

@test "surplus words, unknown flags and help" {
  run --separate-stderr dokku scheduler-k3s:set web namespace a b
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [[ $stderr == "Usage: dokku scheduler-k3s:set <app|--global> <property> (<value>)"*" !     Unexpected argument: b" ]]
  run --separate-stderr dokku scheduler-k3s:set web namespace a --globl
  [ "$status" -eq 2 ]
  [[ $stderr == *"unknown flag: --globl"*"--global"* ]]
  run --separate-stderr dokku scheduler-k3s:set web namespace -x
  [ "$status" -eq 2 ]
  [[ $stderr == *"unknown shorthand flag: 'x' in -x"* ]]
  run --separate-stderr dokku scheduler-k3s:set --help
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [[ $stderr == "Usage: dokku scheduler-k3s:set"*"deploy-timeout"* ]]
  run --separate-stderr dokku scheduler-k3s:set web deploy-timeout --help
  [ "$status" -eq 0 ]
  [[ $stderr == *"deploy-timeout, of an app or --global:"*"(default 300s)" ]]
}

@test "a value that begins with a dash follows two dashes" {
  run dokku scheduler-k3s:set web namespace -- -x
  [ "$status" -eq 1 ]
  [[ $output == " !     Invalid namespace: -x, "* ]]
}

@test "dokku's own flags, wherever they stand" {
  dokku --app web scheduler-k3s:set namespace one
  [ "$(cat "$STORE/web/namespace")" = one ]
  dokku scheduler-k3s:set namespace two --app web
  [ "$(cat "$STORE/web/namespace")" = two ]
  run dokku --quiet scheduler-k3s:set web namespace three
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run dokku scheduler-k3s:set web namespace four --quiet
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$(cat "$STORE/web/namespace")" = four ]
  run dokku --trace scheduler-k3s:set web namespace five
  [ "$status" -eq 0 ]
  [ "$(cat "$STORE/web/namespace")" = five ]
}

@test "the token is stored but shown nowhere" {
  run dokku --trace scheduler-k3s:set --global token canary-token
  [ "$status" -eq 0 ]
  [[ $output != *canary-token* ]]
  [[ $output == *"=====> Setting token to *******"* ]]
  [ "$(cat "$STORE/--global/token")" = canary-token ]
  [ "$(stat -c %a "$STORE/--global/token")" = 600 ]
  run dokku scheduler-k3s:set web token x
  [ "$status" -eq 1 ]
  [[ $output == *"can only be set globally"* ]]
}

@test "the deprecated chart form stores what charts:set stores" {
  run --separate-stderr dokku scheduler-k3s:set --global chart.traefik.a.b/c 'x,y'
  [ "$status" -eq 0 ]
  [ "$output" = "=====> Setting chart.traefik.a.b/c to x,y" ]
  [[ $stderr == *"!     scheduler-k3s:set chart.* properties are deprecated; use scheduler-k3s:charts:set <chart>.<property> instead" ]]
  [ "$(grep -o deprecated <<<"$output$stderr" | wc -l)" -eq 1 ]
  [ "$(cat "$STORE/--global/chart-overrides.traefik")" = '{"a.b/c":"x,y"}' ]
  run --separate-stderr dokku scheduler-k3s:set --global chart.traefik.a.b/c
  [ "$output" = "=====> Unsetting chart.traefik.a.b/c" ]
  [ "$(cat "$STORE/--global/chart-overrides.traefik")" = '{}' ]
}

@test "refused chart properties" {
  run dokku scheduler-k3s:set web chart.traefik.a x
  [ "$status" -eq 1 ]
  [[ ${lines[1]} == " !     Chart properties can only be set globally" ]]
  run dokku scheduler-k3s:set --global chart.traefik x
  [[ ${lines[1]} == " !     Invalid chart property, expected format: chart.\$CHART_NAME.\$PROPERTY: chart.traefik" ]]
  run dokku scheduler-k3s:set --global chart..a x
  [[ ${lines[1]} == " !     Invalid chart property, missing chart name" ]]
  run dokku scheduler-k3s:set --global chart.nope.a x
  [[ ${lines[1]} == " !     Invalid chart property, no matching chart found: chart.nope.a" ]]
}

@test "a hostile surrounding changes nothing" {
  export PYTHONPATH=$STANDIN/hostile PYTHONSTARTUP=$STANDIN/hostile/x.py
  mkdir -p "$STANDIN/hostile"
  echo 'raise SystemExit("hijacked")' | tee "$STANDIN/hostile/os.py" >"$STANDIN/hostile/json.py"
  cd "$STANDIN/hostile"
  (umask 000 && LC_ALL=C dokku scheduler-k3s:set web namespace quiet-one)
  [ "$(stat -c '%a' "$STORE/web/namespace")" = 600 ]
  (umask 077 && dokku scheduler-k3s:set web namespace quiet-two <&-)
  [ "$(cat "$STORE/web/namespace")" = quiet-two ]
  run bash -c '"$0/bin/dokku" scheduler-k3s:report web | head -n 1' "$PREFIX"
  [ "$output" = "=====> web scheduler-k3s information" ]
  dokku scheduler-k3s:set web namespace quiet-three >&-
  [ "$(cat "$STORE/web/namespace")" = quiet-three ]
}

@test "a store that cannot be written is an error, and the old value stays" {
  dokku scheduler-k3s:set web namespace before
  chown root "$STORE/web"
  run dokku scheduler-k3s:set web namespace after
  chown dokku "$STORE/web"
  [ "$status" -eq 1 ]
  [ "$output" = "=====> Setting namespace to after
 !     Unable to write $STORE/web/namespace: Permission denied" ]
  [ "$(cat "$STORE/web/namespace")" = before ]
}
