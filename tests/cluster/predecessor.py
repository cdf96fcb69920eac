"""What dokku's own scheduler leaves in a cluster: releases, chart values, names, labels and selectors as it makes them.

The charts are templates over values, as its are, so that the manifests in helm's records are YAML of many shapes.
"""

import base64
import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.cluster import Cluster
from rig.node import versions

ID = "1700000000"
SUFFIX = "a1b2c3d4e5"

_CONFIG = """apiVersion: v1
kind: Secret
metadata:
  name: config-{{ .Values.global.app_name }}
  namespace: {{ .Values.global.namespace }}
  annotations:
    dokku.com/managed: "true"
  labels:
    app.kubernetes.io/name: config-{{ .Values.global.app_name }}
    app.kubernetes.io/part-of: {{ .Values.global.app_name }}
type: Opaque
data:
  {{- range $key, $value := .Values.global.secrets }}
  {{ $key }}: {{ $value }}
  {{- end }}
"""

_SERVICE_ACCOUNT = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Values.global.app_name }}
  namespace: {{ .Values.global.namespace }}
  annotations:
    dokku.com/managed: "true"
  labels:
    app.kubernetes.io/instance: service-account
    app.kubernetes.io/name: service-account
    app.kubernetes.io/part-of: {{ .Values.global.app_name }}
"""

_POD = """
{{- define "versions" }}
app.kubernetes.io/version: {{ .id | quote }}
dokku.com/builder-type: {{ .global.image.type }}
dokku.com/managed: "true"
{{- end }}
{{- define "container" }}
envFrom:
- secretRef:
    name: config-{{ .global.app_name }}
    optional: true
image: {{ .global.image.name }}
imagePullPolicy: Always
{{- with .process.args }}
args:
{{- toYaml . | nindent 0 }}
{{- end }}
resources:
  requests:
    cpu: 100m
    memory: 128Mi
workingDir: {{ .global.image.working_dir }}
{{- end }}
"""

_DEPLOYMENTS = """{{- range $type, $process := .Values.processes }}
{{- if ne $process.process_type "cron" }}
{{- $global := $.Values.global }}
{{- $labels := dict "app.kubernetes.io/instance" (printf "%s-%s" $global.app_name $type)
    "app.kubernetes.io/name" $type
    "app.kubernetes.io/part-of" $global.app_name }}
{{- $scope := dict "global" $global "process" $process "id" $process.deployment_id }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $global.app_name }}-{{ $type }}
  namespace: {{ $global.namespace }}
  annotations:
    {{- include "versions" $scope | nindent 4 }}
    kubectl.kubernetes.io/default-container: {{ $global.app_name }}-{{ $type }}
  labels:
    {{- toYaml $labels | nindent 4 }}
spec:
  replicas: {{ $process.replicas }}
  revisionHistoryLimit: 5
  strategy: {}
  selector:
    matchLabels:
      {{- merge (dict) $labels $process.labels.pod | toYaml | nindent 6 }}
  template:
    metadata:
      annotations:
        {{- include "versions" $scope | nindent 8 }}
        kubectl.kubernetes.io/default-container: {{ $global.app_name }}-{{ $type }}
      labels:
        {{- merge (dict) $labels $process.labels.pod | toYaml | nindent 8 }}
    spec:
      serviceAccountName: {{ $global.app_name }}
      containers:
      - name: {{ $global.app_name }}-{{ $type }}
        {{- include "container" $scope | nindent 8 }}
        {{- if $process.web }}
        env:
        - name: PORT
          value: "{{ $global.network.primary_port }}"
        ports:
        - containerPort: {{ $global.network.primary_port }}
          name: http-80-{{ $global.network.primary_port }}
          protocol: TCP
        {{- end }}
{{- end }}
{{- end }}
"""

_ROUTES = """{{- range $type, $process := .Values.processes }}
{{- with $process.web }}
{{- $app := $.Values.global.app_name }}
{{- $labels := dict "app.kubernetes.io/instance" (printf "%s-%s" $app $type)
    "app.kubernetes.io/name" $type
    "app.kubernetes.io/part-of" $app }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $app }}-{{ $type }}
  namespace: {{ $.Values.global.namespace }}
  annotations:
    dokku.com/managed: "true"
  labels:
    {{- toYaml $labels | nindent 4 }}
spec:
  ports:
  - name: http-80-{{ $.Values.global.network.primary_port }}
    port: 80
    targetPort: {{ $.Values.global.network.primary_port }}
    protocol: TCP
  selector:
    {{- toYaml $labels | nindent 4 }}
{{- range .domains }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $app }}-{{ $type }}-{{ .slug }}
  namespace: {{ $.Values.global.namespace }}
  annotations:
    dokku.com/managed: "true"
    dokku.com/ingress-method: domains
    nginx.ingress.kubernetes.io/proxy-body-size: 1m
  labels:
    {{- toYaml $labels | nindent 4 }}
spec:
  ingressClassName: nginx
  rules:
  - host: {{ .name | quote }}
    http:
      paths:
      - path: /
        pathType: ImplementationSpecific
        backend:
          service:
            name: {{ $app }}-{{ $type }}
            port:
              name: http-80-{{ $.Values.global.network.primary_port }}
{{- end }}
{{- end }}
{{- end }}
"""

_CRON_JOBS = """{{- range $id, $process := .Values.processes }}
{{- with $process.cron }}
{{- $global := $.Values.global }}
{{- $scope := dict "global" $global "process" $process "id" $global.deployment_id }}
{{- $labels := dict "app.kubernetes.io/instance" (printf "%s-cron-%s" $global.app_name .suffix)
    "app.kubernetes.io/name" "cron"
    "app.kubernetes.io/part-of" $global.app_name
    "dokku.com/cron-hash" .hash }}
{{- $marks := dict "dokku.com/cron-hash" .hash "dokku.com/cron-id" $id "dokku.com/job-suffix" .suffix }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ $global.app_name }}-cron-{{ .suffix }}
  namespace: {{ $global.namespace }}
  annotations:
    {{- include "versions" $scope | nindent 4 }}
    {{- toYaml $marks | nindent 4 }}
  labels:
    {{- toYaml $labels | nindent 4 }}
spec:
  schedule: {{ .schedule | quote }}
  timeZone: Etc/UTC
  concurrencyPolicy: Allow
  suspend: {{ .suspend }}
  startingDeadlineSeconds: 60
  successfulJobsHistoryLimit: 10
  failedJobsHistoryLimit: 10
  jobTemplate:
    metadata:
      labels:
        {{- toYaml $labels | nindent 8 }}
    spec:
      backoffLimit: 0
      podReplacementPolicy: Failed
      ttlSecondsAfterFinished: 60
      activeDeadlineSeconds: 86400
      template:
        metadata:
          labels:
            {{- toYaml $labels | nindent 12 }}
        spec:
          restartPolicy: Never
          serviceAccountName: {{ $global.app_name }}
          containers:
          - name: {{ $global.app_name }}-cron
            {{- include "container" $scope | nindent 12 }}
{{- end }}
{{- end }}
"""


def cron_id(app: str, command: str, schedule: str) -> str:
    number = int.from_bytes(f"{app}==={command}==={schedule}".encode(), "big")
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits


def install(
    cluster: Cluster,
    directory: Path,
    *,
    app: str,
    image: str,
    scale: Mapping[str, int],
    domain: str,
    config: Mapping[str, str],
    cron: tuple[str, list[str], str],
    pod_labels: Mapping[str, str],
    namespace: str = "default",
) -> None:
    """Deploy `app` as dokku's own scheduler would have. `cron` is a task's command, its words and its schedule."""
    command, words, schedule = cron
    identity = cron_id(app, command, schedule)
    shared: dict[str, Any] = {
        "app_name": app,
        "namespace": namespace,
        "deployment_id": ID,
        "image": {"name": image, "type": "dockerfile", "working_dir": "/app"},
        "network": {"ingress_class": "nginx", "primary_port": 5000, "primary_service_port": 80},
    }
    processes: dict[str, Any] = {
        kind: {
            "deployment_id": ID,
            "process_type": "web" if kind == "web" else "worker",
            "replicas": replicas,
            "args": [f"/app/bin/{kind}"],
            "labels": {"pod": dict(pod_labels)},
        }
        for kind, replicas in scale.items()
    }
    processes["web"]["web"] = {"domains": [{"name": domain, "slug": domain.replace(".", "-")}]}
    task = {"id": identity, "hash": hashlib.sha1(identity.encode()).hexdigest(), "schedule": schedule}
    processes[identity] = {
        "deployment_id": ID,
        "process_type": "cron",
        "args": words,
        "cron": {**task, "suffix": SUFFIX, "suspend": False},
    }
    secrets = {key: base64.b64encode(value.encode()).decode() for key, value in config.items()}
    helm = _Helm(cluster, directory, namespace)
    helm.install(
        f"config-{app}", "0.0.1", {"global": {**shared, "secrets": secrets}}, {"secret.yaml": _CONFIG}
    )
    templates = {
        "_helpers.tpl": _POD,
        "service-account.yaml": _SERVICE_ACCOUNT,
        "deployment.yaml": _DEPLOYMENTS,
        "routes.yaml": _ROUTES,
        "cron-job.yaml": _CRON_JOBS,
    }
    helm.install(app, f"0.0.{ID}", {"global": shared, "processes": processes}, templates, "--wait=legacy")


def uninstall(cluster: Cluster, *releases: str) -> None:
    argv = [versions.program("helm"), "uninstall", *releases, "--namespace=default"]
    subprocess.run([*argv, f"--kubeconfig={cluster.kubeconfig}"], check=True, capture_output=True)


class _Helm:
    def __init__(self, cluster: Cluster, directory: Path, namespace: str) -> None:
        self.directory = directory
        self.fixed = [f"--namespace={namespace}", f"--kubeconfig={cluster.kubeconfig}", "--server-side=false"]

    def install(
        self, name: str, version: str, values: Mapping[str, Any], templates: Mapping[str, str], *words: str
    ) -> None:
        chart = self.directory / name
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(
            f"apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: 1.0.0\n"
            "icon: https://dokku.com/assets/dokku-logo.svg\n"
        )
        (chart / "values.yaml").write_text(json.dumps(values))
        for file, text in templates.items():
            (chart / "templates" / file).write_text(text)
        argv = [
            versions.program("helm"),
            "install",
            name,
            str(chart),
            "--create-namespace",
            *self.fixed,
            *words,
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
