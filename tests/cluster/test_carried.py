"""What a deploy carries into the cluster: images of every builder, ports, resources, and what users add to objects."""

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import Host

from .apps import PART_OF, app, deployment, history, place, pods, pushed

pytestmark = pytest.mark.cluster

SERVE = "#!/bin/sh\nhttpd -p ${PORT:-5000} -h /app/www\nhttpd -p 6000 -h /app/www\nsleep 3600 &\nwait\n"
PAGE = {"app/www/index.html": "here\n", "app/bin/web": SERVE}


def procfile(host: Host, name: str, text: str) -> None:
    """As if the app had been pushed with it."""
    place(host, f"data/ps/{name}/Procfile", text)


def app_json(host: Host, name: str, content: dict[str, Any]) -> None:
    place(host, f"data/app-json/{name}/app.json", json.dumps(content))


def words_of(cluster: Cluster, name: str) -> list[str]:
    (pod,) = pods(cluster, name, "web")
    text = cluster.kubectl(
        "exec", pod.metadata.name, "--namespace=default", "--", "cat", "/proc/1/cmdline"
    ).stdout
    return text.removesuffix("\0").split("\0")


class Built(NamedTuple):
    """An image of a builder (`config` is its), a command of the Procfile, and what its container gets."""

    builder: str
    files: Mapping[str, str]
    config: Mapping[str, Any]
    command: str
    words: Sequence[str]
    directory: str


PACK = Built(
    "pack",
    {"usr/local/bin/launcher": SERVE},
    {"labels": {"io.buildpacks.stack.id": "heroku-24"}},
    "serve --name 'a  b' 60 true '{{ x }}'",
    ["/bin/sh", "/usr/local/bin/launcher", "serve", "--name", "a  b", "60", "true", "{{ x }}"],
    "/workspace",
)
HEROKUISH = Built(
    "herokuish",
    {"start": SERVE},
    {"env": {"USER": "herokuishuser"}},
    "ignored",
    ["/bin/sh", "/start", "web"],
    "/app",
)


@pytest.mark.parametrize("built", [PACK, HEROKUISH], ids=["pack", "herokuish"])
def test_images_of_every_builder_with_and_without_the_image_on_the_host(
    host: Host, cluster: Cluster, built: Built
) -> None:
    image = images.build(f"rig/{built.builder}:v1", files={**PAGE, **built.files}, **built.config)
    with app(host, f"built-{built.builder}") as name:
        pushed(host, name, image)
        procfile(host, name, f"web: {built.command}\n")
        host.dokku("ps:restart", name)
        images.docker("image", "rm", f"dokku/{name}:latest")
        host.dokku("ps:restart", name)
        assert history(name) == ["superseded", "deployed"]
        assert words_of(cluster, name) == built.words
        found = deployment(cluster, f"{name}-web")
        assert found.metadata.annotations["dokku.com/builder-type"] == built.builder
        assert found.spec.template.spec.containers[0].working_dir == built.directory


def test_several_ports_an_exposed_process_and_amounts(host: Host, cluster: Cluster) -> None:
    image = images.build("rig/ports:v1", files=PAGE, cmd=["/app/bin/web"])
    with app(host, "ported", scale="web=1 api=1") as name:
        pushed(host, name, image)
        procfile(host, name, "web: /app/bin/web\napi: /app/bin/web\n")
        app_json(host, name, {"formation": {"api": {"service": {"exposed": True}}}})
        host.dokku("ports:set", name, "http:8080:6000", "http:80:7000", "https:443:7000", "tcp:25:25")
        host.dokku("resource:limit", name, "--memory", "96m", "--cpu", "50m")
        done = host.dokku("ps:restart", name)
        assert "neither http nor https are left out: tcp:25:25" in done.stderr
        service = cluster.core.read_namespaced_service("ported-web", "default")
        ports = {port.name: (port.port, port.target_port) for port in service.spec.ports}
        assert ports == {
            "http-80-7000": (80, 7000),
            "http-8080-6000": (8080, 6000),
            "https-443-7000": (443, 7000),
        }
        spec = deployment(cluster, "ported-web").spec.template.spec.containers[0]
        assert [(item.name, item.value) for item in spec.env] == [("PORT", "6000")]
        assert spec.resources.requests == spec.resources.limits == {"cpu": "50m", "memory": "96Mi"}
        assert asked(service.spec.cluster_ip, 8080) == "here\n"
        exposed = cluster.core.read_namespaced_service("ported-api", "default")
        assert asked(exposed.spec.cluster_ip, 5000) == "here\n"


def asked(address: str, port: int) -> str:
    def ask() -> str:
        connection = http.client.HTTPConnection(address, port, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().read().decode()

    return eventually(ask)


ADDED = {
    "deployment": "deployment/adorned-web",
    "service": "service/adorned-web",
    "serviceaccount": "serviceaccount/adorned",
    "secret": "secret/config-adorned",
    "ingress": "ingress/adorned-web-adorned-example-com",
    "certificate": "certificate.cert-manager.io/adorned-web",
}


def test_annotations_and_labels_of_every_type_and_none_in_a_selector(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    def told(*resource: str) -> Any:
        words = ("get", *resource, "--namespace=default", "--output=json")
        return json.loads(cluster.kubectl(*words).stdout)

    def decorate(value: str, *kinds: str) -> None:
        for kind in kinds:
            for noun in ("annotations", "labels"):
                words = (f"scheduler-k3s:{noun}:set", name, "example.com/a", value, "--resource-type", kind)
                host.dokku(*words)

    def decorated(item: Any, value: str) -> bool:
        metadata = item["metadata"]
        return [metadata[noun]["example.com/a"] for noun in ("annotations", "labels")] == [value] * 2

    with app(host, "adorned") as name:
        pushed(host, name, sample_image)
        host.dokku("scheduler-k3s:set", name, "cert-issuer-name", "issuer")
        app_json(host, name, {"cron": [{"command": "true", "schedule": "@daily"}]})
        decorate("on", *ADDED, "pod", "cronjob", "job")
        host.dokku("ps:restart", name)
        for kind, resource in ADDED.items():
            assert decorated(told(resource), "on"), kind
        (task,) = told("cronjob", f"--selector={PART_OF}={name}")["items"]
        job = task["spec"]["jobTemplate"]
        pods_of = [told(ADDED["deployment"])["spec"]["template"], job["spec"]["template"]]
        assert all(decorated(item, "on") for item in [task, job, *pods_of])
        decorate("", "service")
        decorate("off", "pod")
        host.dokku("ps:restart", name)
        assert "example.com/a" not in told(ADDED["service"])["metadata"]["labels"]
        found = told(ADDED["deployment"])["spec"]
        assert decorated(found["template"], "off")
        assert set(found["selector"]["matchLabels"]) == {
            f"app.kubernetes.io/{part}" for part in ("instance", "name", "part-of")
        }


def test_a_gpu_is_found_on_the_node_that_has_one(host: Host, cluster: Cluster, sample_image: str) -> None:
    node = cluster.core.list_node().items[0].metadata.name
    device = {"path": "/status/capacity/nvidia.com~1gpu"}

    def patch(**operation: str) -> None:
        words = ("patch", "node", node, "--subresource=status", "--type=json")
        cluster.kubectl(*words, f"--patch={json.dumps([{**device, **operation}])}")

    patch(op="add", value="1")
    try:
        with app(host, "devices") as name:
            host.dokku("resource:limit", "--nvidia-gpu", "1", name)
            host.dokku("git:from-image", name, sample_image)
            (pod,) = pods(cluster, name, "web")
            assert pod.spec.containers[0].resources.limits["nvidia.com/gpu"] == "1"
    finally:
        patch(op="remove")
