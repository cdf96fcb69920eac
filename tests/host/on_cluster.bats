#!/usr/bin/env bats
# What the commands promise of a cluster, on the rig's Kubernetes: of one app that is deployed there, and of a k3s of our
# own, whose servers are nodes of that cluster without a kubelet.

bats_require_minimum_version 1.5.0
load cluster_host

WITHOUT=cert-manager,longhorn,traefik,ingress-nginx,keda
# console, in which vector's chart finds a template that prints braces
SINK="console://?encoding[codec]=json&label=base64enc:$(printf '%s' '{{ print "{{ pod }}" }}' | base64)"

setup_file() {
  # app, namespace and domain are nobody else's
  export APP=promises-$$
  cluster_host_setup
  deploy
  if [[ ${RIG_KUBECONFIG:-} ]]; then return; fi
  network_setup
  rig -c 'import pathlib, sys
from rig.charts import repository
for name, content in repository.build(repository.pod_image(), definitions=False).items():
    (pathlib.Path(sys.argv[1]) / name).write_bytes(content)' "$FILES"
}

deploy() {
  local image
  image=$(rig -c 'from rig import images
print(images.sample("promises", app_json={"cron": [{"command": "true", "schedule": "0 4 * * *"}, {"command": "false", "schedule": "@daily"}]}))')
  dokku apps:create "$APP"
  dokku domains:set "$APP" "$APP.example.com"
  dokku ps:set "$APP" stop-timeout-seconds 2
  dokku scheduler-k3s:set "$APP" namespace "$APP"
  dokku scheduler-k3s:set "$APP" letsencrypt-email-prod own@example.com
  dokku scheduler-k3s:set "$APP" image-pull-secrets registry-a,registry-b
  dokku git:from-image "$APP" "$image"
}

# Every step is tried, whatever became of the one before.
teardown_file() {
  use_cluster || true
  dokku --force apps:destroy "$APP" || true
  for name in letsencrypt-email-prod letsencrypt-email-stag; do dokku scheduler-k3s:set --global "$name" || true; done
  nodes_remove || true
  helm uninstall vector --namespace vector --ignore-not-found || true
  helm uninstall keda-add-ons-http --namespace keda --ignore-not-found || true
  kubectl delete namespaces "$APP" vector system-upgrade --ignore-not-found --wait=false || true
  cluster_host_teardown
}

teardown() {
  other_host_teardown
  use_cluster
}

of_app() {
  kubectl --namespace "$APP" "$@"
}

preview() {
  run --separate-stderr dokku scheduler-k3s:preview "$APP" "$@"
  [ "$status" -eq 0 ]
}

titles() {
  grep -E ' has (changed|been added|been removed):$' <<<"$1"
}

# Kind and name of the issuer of the certificate that the next deploy asks for; what is told is in $STANDIN/told.
issuer_next() {
  dokku scheduler-k3s:preview "$APP" --context -1 2>"$STANDIN/told" | sed -n '/, Certificate /,/^$/p' |
    sed -nE 's/^[+ ] {5}(kind|name): //p' | paste --serial --delimiters ' '
}

# Lets the app have authentication of a trigger, and a task an annotation, if no test has yet.
authenticated() {
  if of_app get secret "kta-$APP-datadog" >/dev/null 2>&1; then return; fi
  dokku scheduler-k3s:autoscaling-auth:set "$APP" datadog --metadata apiKey=canary-1 --metadata appKey=same
  dokku scheduler-k3s:annotations:set "$APP" example.com/team nightly --process-type "$(task 0)" --resource-type cronjob
  dokku ps:restart "$APP"
}

# The id of a cron task.
task() {
  dokku cron:list "$APP" --format json | jq --raw-output ".[$1].id"
}

# What `ensure-charts` gave to vector, as JSON; of the whole chart, or a path below it.
vector() {
  kubectl --namespace vector get configmap vector-received --output 'jsonpath={.data.values\.json}' | jq --compact-output --raw-output "$1"
}

# Makes this host the first server of a cluster, if no test has yet. What was said is in $STANDIN/initialized.
initialized() {
  use_server
  if [[ -e $STANDIN/initialized ]]; then return; fi
  dokku scheduler-k3s:profiles:add edge --insecure-allow-unknown-hosts --kubelet-args max-pods=20
  dokku logs:set --global vector-sink "$SINK"
  dokku scheduler-k3s:charts:set vector.printed at-first
  on_server scheduler-k3s:initialize --without "$WITHOUT" >"$STANDIN/said" 2>&1 || { cat "$STANDIN/said" && return 1; }
  mv "$STANDIN/said" "$STANDIN/initialized"
}

joined() {
  run --separate-stderr on_server scheduler-k3s:cluster:add --server-ip "$API" "$@"
}

# The labels and annotations of the node that joined from the other host.
joined_node() {
  nodes | jq --compact-output "[.items[] | select(.metadata.annotations[\"dokku.com/remote-host\"] == \"$OTHER\")] | .[0].metadata | $1"
}

@test "image-pull-secrets: a comma-separated list, of which the pods get each" {
  run of_app get deployment "$APP-web" --output 'jsonpath={.spec.template.spec.imagePullSecrets[*].name}'
  [ "$output" = "registry-a registry-b" ]
}

@test "preview: no change, no output at all; a config:set alone shows nothing" {
  dokku scheduler-k3s:preview "$APP" >"$STANDIN/shown" 2>&1
  [ ! -s "$STANDIN/shown" ]
  dokku config:set --no-restart "$APP" PASSWORD=canary
  dokku scheduler-k3s:preview "$APP" >"$STANDIN/shown" 2>&1
  [ ! -s "$STANDIN/shown" ]
  preview --all
  [ "$(titles "$output")" = "$APP, config-$APP, Secret (v1) has changed:" ]
}

@test "preview: has changed, once per changed object, has been added, has been removed; without autoscaling auth the flags change nothing" {
  dokku ps:scale --skip-deploy "$APP" web=2
  dokku domains:add "$APP" "new.$APP.example.com"
  dokku scheduler-k3s:set "$APP" letsencrypt-server false
  preview
  plain=$output
  preview --show-secrets
  [ "$output" = "$plain" ]
  preview --show-secrets-decoded
  [ "$output" = "$plain" ]
  preview --context -1
  dokku scheduler-k3s:set "$APP" letsencrypt-server
  dokku domains:remove "$APP" "new.$APP.example.com"
  dokku ps:scale --skip-deploy "$APP" web=1
  [[ $output != *...* ]]
  [[ $output == *"  apiVersion: apps/v1"* ]]
  [ "$(titles "$output")" = "$(titles "$plain")" ]
  [ "$(titles "$plain")" = "$APP, $APP-web, Deployment (apps) has changed:
$APP, $APP-web, Service (v1) has changed:
$APP, $APP-web-$APP-example-com, Ingress (networking.k8s.io) has changed:
$APP, $APP-letsencrypt-prod, Issuer (cert-manager.io) has been removed:
$APP, $APP-web, Certificate (cert-manager.io) has been removed:
$APP, $APP-web-new-$APP-example-com, Ingress (networking.k8s.io) has been added:" ]
  [[ $plain == *"
...
"* ]]
  [[ $plain == *"-   replicas: 1
+   replicas: 2
"* ]]
}

@test "an app-level email gives Issuer <app>-letsencrypt-prod|stag, otherwise ClusterIssuer letsencrypt-prod|stag" {
  [ "$(of_app get issuer "$APP-letsencrypt-prod" --output 'jsonpath={.spec.acme.email}')" = own@example.com ]
  run of_app get certificate "$APP-web" --output 'jsonpath={.spec.issuerRef.kind} {.spec.issuerRef.name}'
  [ "$output" = "Issuer $APP-letsencrypt-prod" ]
  dokku scheduler-k3s:set "$APP" letsencrypt-email-stag own@example.com
  dokku scheduler-k3s:set "$APP" letsencrypt-server staging
  [ "$(issuer_next)" = "Issuer $APP-letsencrypt-stag" ]
  dokku scheduler-k3s:set "$APP" letsencrypt-email-stag
  dokku scheduler-k3s:set --global letsencrypt-email-stag all@example.com
  [ "$(issuer_next)" = "ClusterIssuer letsencrypt-stag" ]
  dokku scheduler-k3s:set "$APP" letsencrypt-server
  dokku scheduler-k3s:set "$APP" letsencrypt-email-prod
  dokku scheduler-k3s:set --global letsencrypt-email-prod all@example.com
  [ "$(issuer_next)" = "ClusterIssuer letsencrypt-prod" ]
  dokku scheduler-k3s:set "$APP" letsencrypt-email-prod own@example.com
}

@test "certificate source, first that applies: imported certificate, letsencrypt-server false, cert-issuer-name, letsencrypt; ClusterIssuer <n> not found, certificates will not be issued for <app>" {
  dokku scheduler-k3s:set "$APP" cert-issuer-name missing
  [ "$(issuer_next)" = "ClusterIssuer missing" ]
  [ "$(cat "$STANDIN/told")" = " !     ClusterIssuer missing not found, certificates will not be issued for $APP" ]
  dokku scheduler-k3s:set "$APP" cert-issuer-kind Issuer
  [ "$(issuer_next)" = "Issuer missing" ]
  [ "$(cat "$STANDIN/told")" = " !     Issuer missing not found in namespace $APP, certificates will not be issued for $APP" ]
  dokku scheduler-k3s:set "$APP" letsencrypt-server false
  preview
  [[ $output == *"Certificate (cert-manager.io) has been removed:"* ]]
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 60 -subj "/CN=$APP.example.com" \
    -addext "subjectAltName=DNS:$APP.example.com" -keyout "$STANDIN/key" -out "$STANDIN/crt" 2>/dev/null
  chmod 644 "$STANDIN/key"
  dokku certs:add "$APP" "$STANDIN/crt" "$STANDIN/key"
  run of_app get ingress --output 'jsonpath={.items[*].spec.tls[*].secretName}'
  [ "$output" = "tls-$APP" ]
  of_app get secret "tls-$APP"
  for name in letsencrypt-server cert-issuer-name cert-issuer-kind; do dokku scheduler-k3s:set "$APP" "$name"; done
}

@test "autoscaling-auth: the next deploy adds Secret kta-<app>-<trigger> and TriggerAuthentication <app>-<trigger> to the app's release" {
  authenticated
  run of_app get secret "kta-$APP-datadog" --output 'jsonpath={.data} {.metadata.annotations.meta\.helm\.sh/release-name}'
  [ "$output" = "{\"apiKey\":\"$(printf canary-1 | base64)\",\"appKey\":\"$(printf same | base64)\"} $APP" ]
  run of_app get triggerauthentication.keda.sh "$APP-datadog" --output 'jsonpath={.spec.secretTargetRef[*].name} {.metadata.annotations.meta\.helm\.sh/release-name}'
  [ "$output" = "kta-$APP-datadog kta-$APP-datadog $APP" ]
}

@test "annotations: for cron tasks the process type is the cron id" {
  authenticated
  run of_app get cronjobs --output 'jsonpath={range .items[*]}{.metadata.annotations.dokku\.com/cron-id} {.metadata.annotations.example\.com/team}{"\n"}{end}'
  [ "$(sort <<<"$output")" = "$(printf '%s nightly\n%s \n' "$(task 0)" "$(task 1)" | sort)" ]
}

@test "preview: the values of the app's Secrets are masked, but for --show-secrets and --show-secrets-decoded" {
  authenticated
  dokku scheduler-k3s:autoscaling-auth:set "$APP" datadog --metadata apiKey=canary-no-2
  preview
  [ "$(titles "$output")" = "$APP, kta-$APP-datadog, Secret (v1) has changed:" ]
  [[ $output == *"-   apiKey: '-------- # (8 bytes)'
+   apiKey: '++++++++ # (11 bytes)'
    appKey: 'REDACTED # (4 bytes)'"* ]]
  [[ $output$stderr != *canary* ]]
  preview --show-secrets
  [[ $output == *"+   apiKey: $(printf canary-no-2 | base64)"* ]]
  preview --show-secrets-decoded --show-secrets
  [[ $output == *"+   apiKey: canary-no-2"* ]]
  dokku scheduler-k3s:autoscaling-auth:set "$APP" datadog --metadata apiKey=canary-1
}

@test "node sysctls: release dokku-node-sysctls-global in kube-system" {
  image=$(of_app get deployment "$APP-web" --output 'jsonpath={.spec.template.spec.containers[0].image}')
  dokku scheduler-k3s:set --global node-sysctls-image "$image"
  dokku scheduler-k3s:set --global node-sysctls-pause-image "$image"
  dokku scheduler-k3s:node-sysctls:set vm.max_map_count "$(cat /proc/sys/vm/max_map_count)"
  run helm list --namespace kube-system --filter '^dokku-node-sysctls-' --short
  applied=$output
  kubectl get daemonset dokku-node-sysctls-global --namespace kube-system
  dokku scheduler-k3s:node-sysctls:set vm.max_map_count
  [[ $applied == dokku-node-sysctls-global* ]]
}

@test "initialize: the commands to run next, Done, exit 0; the first node gets svccontroller.k3s.cattle.io/enablelb=true and never a profile label" {
  initialized
  said=$(cat "$STANDIN/initialized")
  [[ $said == *"
=====> Labeling node svccontroller.k3s.cattle.io/enablelb=true
"*"
=====> Applying node sysctls
"*"
         dokku scheduler:set --global selected k3s
       Done" ]]
  run nodes
  labels=$(jq '[.items[].metadata | select(.annotations["dokku.com/remote-host"] == null)] | .[0].labels' <<<"$output")
  [ "$(jq --raw-output '.["svccontroller.k3s.cattle.io/enablelb"]' <<<"$labels")" = true ]
  [[ $labels != *dokku.com/node-profile* ]]
}

@test "log sinks: vector-sink replaces default_global_sink, a template comes out as {{ pod }} in ConfigMap vector" {
  initialized
  [[ $(cat "$STANDIN/initialized") != *"pre-upgrade hook"* ]]
  [ "$(vector .printed)" = at-first ]
  [ "$(vector '.customConfig.sinks | keys')" = '["kubernetes_global_sink","prom_exporter"]' ]
  [ "$(vector .customConfig.sinks.kubernetes_global_sink.inputs)" = '["kubernetes_container_logs"]' ]
  [ "$(vector '.customConfig.sources | keys')" = '["internal_metrics","kubernetes_logs"]' ]
  kubectl --namespace vector get configmap vector --output 'jsonpath={.data.vector\.yaml}' | grep --fixed-strings "label: '{{ pod }}'"
}

@test "upgrade callbacks: the hook of keda-add-ons-http 0.12.2 runs before it passes that version, a failure aborts the run" {
  initialized
  helm uninstall keda-add-ons-http --namespace keda
  helm install keda-add-ons-http "$FILES/keda-add-ons-http-0.11.1.tgz" --namespace keda --server-side=false >/dev/null
  before=$(kubectl --namespace keda get deployment keda-add-ons-http-interceptor --output 'jsonpath={.metadata.uid}')
  mv "$FILES/keda-add-ons-http-0.12.2.tgz" "$STANDIN/away"
  run --separate-stderr on_server scheduler-k3s:ensure-charts
  mv "$STANDIN/away" "$FILES/keda-add-ons-http-0.12.2.tgz"
  [ "$status" -eq 1 ]
  [[ $stderr == *"!     Unable to install helm charts: "* ]]
  [[ $output != *"Processing chart vector"* ]]
  run on_server scheduler-k3s:ensure-charts
  [ "$status" -eq 0 ]
  [[ $output == *"
       Installing chart due to version mismatch: 0.11.1 != 0.12.2
       Running pre-upgrade hook keda-add-ons-http@0.12.2
       Upgrading keda-add-ons-http to intermediate version 0.12.2
"* ]]
  [ "$(kubectl --namespace keda get deployment keda-add-ons-http-interceptor --output 'jsonpath={.metadata.uid}')" != "$before" ]
}

@test "charts:set takes effect at the next ensure-charts --force or --charts <chart>; vector-cron-sink, each event reaches one sink" {
  initialized
  dokku scheduler-k3s:charts:set vector.printed later
  dokku logs:set "$APP" vector-sink "console://?encoding[codec]=text"
  dokku logs:set --global vector-cron-sink "file://?path=/tmp/cron.log"
  on_server scheduler-k3s:ensure-charts
  [ "$(vector .printed)" = at-first ]
  on_server scheduler-k3s:ensure-charts --charts vector
  [ "$(vector .printed)" = later ]
  [ "$(vector '.customConfig.sinks | map_values(.inputs)')" = '{"kubernetes_cron_sink":["kubernetes_cron_remap"],"kubernetes_global_sink":["kubernetes_router._unmatched"],"prom_exporter":["internal_metrics"]}' ]
  [ "$(vector '.customConfig.transforms | keys')" = '["kubernetes_container_logs","kubernetes_cron_remap","kubernetes_router"]' ]
  [ "$(vector .customConfig.transforms.kubernetes_router.inputs)" = '["kubernetes_container_logs"]' ]
  [[ $(vector .customConfig.transforms.kubernetes_cron_remap.source) == *.dokku_app*app.kubernetes.io/part-of*.dokku_cron_id*dokku.com/cron-id* ]]
  [ "$(vector .customConfig.sinks.kubernetes_global_sink.encoding.codec)" = json ]
  dokku scheduler-k3s:charts:set vector.printed last
  on_server scheduler-k3s:ensure-charts --force
  [ "$(vector .printed)" = last ]
}

@test "cluster:add: flags override the profile for this run, of the booleans only on can be added" {
  initialized
  dokku scheduler-k3s:profiles:add servers --role server --taint-scheduling
  for words in "--profile servers --role worker" "--profile servers --role worker --taint-scheduling=false" "--profile edge --taint-scheduling"; do
    # shellcheck disable=SC2086
    joined $words "$OTHER"
    [ "$status" -eq 1 ]
    [[ $stderr == *"!     Taint scheduling can only be used on the server role" ]]
  done
  # nobody listens there
  for words in "--profile servers" "--profile edge --role server"; do
    # shellcheck disable=SC2086
    joined $words "$OTHER:9"
    [ "$status" -eq 1 ]
    [ "$output" = "-----> Joining $OTHER:9 to k3s cluster as server" ]
  done
}

@test "cluster:add: arguments reach the remote command unchanged (eviction-hard=memory.available<200Mi), a step that fails aborts, the token is not echoed" {
  initialized
  other_host_setup
  installer 'echo "the installer fails"; exit 7'
  joined --profile edge --kubelet-args 'eviction-hard=memory.available<200Mi' "$OTHER"
  installer ''
  [ "$status" -eq 1 ]
  [[ $output == *"       the installer fails" ]]
  [[ $stderr == *"Recorded the ssh key of $ADDRESS unseen: "*" !     Invalid exit code from k3s installer command over ssh: 7"* ]]
  [ "$(other_config | sed -n '/^kubelet-arg:/,$p')" = 'kubelet-arg:
  - "eviction-hard=memory.available<200Mi"' ]
  [[ $(other_config) == *"$(cat "$STORE/agent-token")"* ]]
  for name in token agent-token; do [[ $output$stderr != *"$(cat "$STORE/$name")"* ]]; done
  [ "$(joined_node .name)" = null ]
}

@test "cluster:add: a worker gets node-role.kubernetes.io/worker=worker, with --profile also dokku.com/node-profile=<profile>; profiles:remove leaves joined nodes as they are" {
  initialized
  other_host_setup
  joined --insecure-allow-unknown-hosts "$OTHER"
  [ "$status" -eq 0 ]
  [[ $output == *"
=====> Labeling node node-role.kubernetes.io/worker=worker
=====> Annotating node with connection information
       Done" ]]
  [ "$(joined_node '.labels | [.["node-role.kubernetes.io/worker"], .["dokku.com/node-profile"]]')" = '["worker",null]' ]
  joined --profile edge "$OTHER"
  [ "$status" -eq 0 ]
  [[ $output == *"
=====> Labeling node node-role.kubernetes.io/worker=worker
=====> Labeling node dokku.com/node-profile=edge
"* ]]
  before=$(joined_node '[.name, .labels, .annotations]')
  [ "$(joined_node '.labels["dokku.com/node-profile"]')" = '"edge"' ]
  on_server scheduler-k3s:profiles:remove edge
  after=$(joined_node '[.name, .labels, .annotations]')
  dokku scheduler-k3s:profiles:add edge --insecure-allow-unknown-hosts --kubelet-args max-pods=20
  [ "$after" = "$before" ]
}

@test "cluster:add: a server gets svccontroller.k3s.cattle.io/enablelb=true" {
  initialized
  other_host_setup
  joined --role server --insecure-allow-unknown-hosts "$OTHER"
  [ "$status" -eq 0 ]
  [[ $output == *"
=====> Labeling node svccontroller.k3s.cattle.io/enablelb=true
=====> Annotating node with connection information
       Done" ]]
  [ "$(joined_node '.labels | [.["svccontroller.k3s.cattle.io/enablelb"], .["node-role.kubernetes.io/worker"]]')" = '["true",null]' ]
}
