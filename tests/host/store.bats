#!/usr/bin/env bats
# The plugin's property files: whoever writes them, and in whatever shape an older version left them.

bats_require_minimum_version 1.5.0
# shellcheck disable=SC2034
APPS="web"
load plugin_host

# all files with mode, owner and content
tree() {
  (cd "$STORE" && find . -type f -printf '%m %u:%g %p ' -exec sh -c 'cat "$1"; echo' _ {} \; | sort)
}

@test "what root writes belongs to dokku, with the same modes" {
  plugin=$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s
  for umask in 000 077; do
    rm -rf "${STORE:?}"
    (umask "$umask" && "$plugin/subcommands/set" scheduler-k3s:set web namespace team-a)
    (umask "$umask" && "$plugin/subcommands/labels:set" scheduler-k3s:labels:set web a b --resource-type pod)
    [ "$(tree)" = '600 dokku:dokku ./web/labels.--global.pod {"a":"b"}
600 dokku:dokku ./web/namespace team-a' ]
    [ "$(stat -c '%a %U:%G' "$STORE" "$STORE/web" | sort -u)" = "755 dokku:dokku" ]
    run dokku scheduler-k3s:set web namespace team-b
    [ "$status" -eq 0 ]
  done
}

@test "no temporary file is left, and one that a killed write left is not a property" {
  as_dokku mkdir -p "$STORE/web"
  as_dokku sh -c "echo half >$STORE/web/.namespace.1"
  dokku scheduler-k3s:set web namespace team-a
  [ "$(ls -A "$STORE/web")" = ".namespace.1
namespace" ]
  dokku scheduler-k3s:annotations:set web a b --resource-type pod
  run dokku scheduler-k3s:annotations:report web --format json
  [ "$output" = '{"global.pod.a":"b"}' ]
}

@test "older shapes are converted by the install trigger, once" {
  as_dokku mkdir -p "$STORE/web" "$STORE/--global"
  as_dokku sh -c "printf '3.1.0' >'$STORE/--global/chart.traefik.image.tag'"
  as_dokku sh -c "printf 'a.b/c: d: e\n\nf: g\n' >'$STORE/web/web.deployment'"
  as_dokku sh -c "printf 'team: books\n' >'$STORE/web/labels.--global.service'"
  as_dokku sh -c "printf '{\"as\": \"it is\"}' >'$STORE/web/web.pod'"
  dokku plugin:install
  once=$(tree)
  [ "$once" = '600 dokku:dokku ./--global/chart-overrides.traefik {"image.tag":"3.1.0"}
600 dokku:dokku ./web/labels.--global.service {"team":"books"}
600 dokku:dokku ./web/web.deployment {"a.b/c":"d: e","f":"g"}
'"$(stat -c %a "$STORE/web/web.pod")"' dokku:dokku ./web/web.pod {"as": "it is"}' ]
  dokku plugin:install
  [ "$(tree)" = "$once" ]
  run dokku scheduler-k3s:charts:report traefik --format json
  [ "$output" = '{"traefik.image.tag":"3.1.0"}' ]
}

@test "values from before they were checked are reported as they are" {
  as_dokku mkdir -p "$STORE/web"
  as_dokku sh -c "printf soon >'$STORE/web/deploy-timeout'"
  as_dokku sh -c "printf 'no such' >'$STORE/web/letsencrypt-email-prod'"
  for property in deploy-timeout letsencrypt-email-prod; do
    run dokku scheduler-k3s:report web "--scheduler-k3s-computed-$property"
    [ "$status" -eq 0 ]
    [ "$output" = "$(cat "$STORE/web/$property")" ]
  done
  dokku scheduler-k3s:set web deploy-timeout
  [ ! -e "$STORE/web/deploy-timeout" ]
}
