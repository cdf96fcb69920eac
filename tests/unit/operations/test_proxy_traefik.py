"""nginx:show-config and its logs for an app that Traefik routes, against an API on loopback."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.api_server import Api, Pod, serve
from unit.dokku_host import Host

TRIGGERS = Path(__file__).parents[3] / "triggers"
OBJECTS = "/apis/traefik.io/v1alpha1/namespaces/default/"
ROUTE = "demo-web-http-80-5000"


def access(router: str, path: str) -> bytes:
    head = f'10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET {path} HTTP/1.1" 200 5 "-" "-" 1'
    return f'{head} "{router}@kubernetescrd" "http://10.0.0.9:5000" 3ms\n'.encode()


OURS = access(f"default-{ROUTE}-6f97418635c7e18853da", "/ours")
ERRORS = (
    b'2026-01-01T00:00:00Z ERR error="service not found" ingress=demo-web-http-80-5000 namespace=default\n',
    b'time="2026-01-01T00:00:00Z" level=error msg="no" routerName=default-demo-web-http-80-5000-6f9741@k\n',
)
FOREIGN = (
    access("default-demo-web-http-80-5000-more-6f97418635c7e18853da", "/a-longer-name"),
    access(f"other-{ROUTE}-6f97418635c7e18853da", "/another-namespace"),
    b"2026-01-01T00:00:00Z ERR ingress=my-demo-web-http-80-5000 namespace=default\n",
    b"2026-01-01T00:00:00Z INF ingress=demo-web-http-80-5000 namespace=default\n",
)


@pytest.fixture
def api(dokku: Host, tmp_path: Path) -> Iterator[Api]:
    with serve() as served:
        dokku.store("--global", "kubeconfig-path", str(served.kubeconfig(tmp_path)))
        dokku.store("--global", "ingress-class", "traefik")
        served.objects[OBJECTS + "ingressroutes"] = [
            {"kind": "IngressRoute", "metadata": {"name": ROUTE, "managedFields": [{}]}}
        ]
        served.objects[OBJECTS + "middlewares"] = [{"kind": "Middleware", "metadata": {"name": "demo-web-x"}}]
        yield served


def traefik(api: Api, *lines: bytes) -> None:
    pod = Pod("traefik-1", *lines, running=True, kind="traefik")
    api.add(pod)
    shown = pod.object()
    shown["metadata"]["namespace"] = "kube-system"
    api.objects["/api/v1/pods"] = [shown]


def trigger(name: str, *words: str) -> tuple[int, str, str]:
    argv = [str(TRIGGERS / name), "k3s", "demo", "k3s", *words]
    done = subprocess.run(
        argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_the_configuration_is_the_apps_objects(api: Api) -> None:
    code, output, errors = trigger("scheduler-proxy-config")
    assert (code, errors) == (0, "")
    assert [item["metadata"] for item in json.loads(output)] == [{"name": ROUTE}, {"name": "demo-web-x"}]
    api.objects = {OBJECTS + kind: [] for kind in ("ingressroutes", "middlewares")}
    assert trigger("scheduler-proxy-config") == (
        1,
        "",
        " !     No routes of app demo found in namespace default\n",
    )


def test_logs_are_what_names_the_apps_routes(api: Api) -> None:
    traefik(api, *FOREIGN, OURS, *ERRORS, OURS, OURS)
    assert trigger("scheduler-proxy-logs", "access", "false", "2") == (0, (OURS * 2).decode(), "")
    api.pods["traefik-1"].running = False
    assert trigger("scheduler-proxy-logs", "access", "true", "0") == (0, (OURS * 3).decode(), "")
    assert trigger("scheduler-proxy-logs", "error", "false", "20") == (0, b"".join(ERRORS).decode(), "")


def test_an_access_log_that_says_nothing_may_not_be_switched_on(api: Api) -> None:
    traefik(api, *FOREIGN)
    code, output, errors = trigger("scheduler-proxy-logs", "access", "false", "20")
    assert (code, output) == (0, "")
    assert "dokku scheduler-k3s:charts:set traefik.logs.access.enabled true" in errors


def test_without_traefik_it_is_said(api: Api) -> None:
    api.objects["/api/v1/pods"] = []
    assert trigger("scheduler-proxy-logs", "access", "false", "20") == (
        1,
        "",
        " !     No running pods found for traefik, in any namespace\n",
    )


def test_other_proxies_are_not_ours(api: Api) -> None:
    done = subprocess.run(
        [TRIGGERS / "scheduler-proxy-config", "k3s", "demo", "nginx"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert api.requests == []


def test_a_log_that_breaks_off_is_said_to_be_incomplete(api: Api) -> None:
    traefik(api, OURS, OURS)
    api.pods["traefik-1"].drops = [len(OURS) + 10]
    code, output, errors = trigger("scheduler-proxy-logs", "access", "true", "0")
    assert (code, output) == (0, OURS.decode())
    assert errors.startswith(" !     The log of pod traefik-1 is not complete, the connection broke: ")
