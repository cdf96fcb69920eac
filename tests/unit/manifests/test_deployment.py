"""What decides the parts of a Deployment."""

from typing import Any

import pytest
from scheduler_k3s.app import App, Image, Port, Process
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests.deployment import deployment
from unit.models import HTTP, shop, web, worker

Object = dict[str, Any]


def built(app: App, type_: str = "web") -> Object:
    process = app.process(type_)
    assert process is not None
    return deployment(app, process)


def pod(app: App, type_: str = "web") -> Object:
    found: Object = built(app, type_)["spec"]["template"]["spec"]
    return found


def container(process: Process, **fields: Any) -> Object:
    (found,) = pod(shop(process, **fields), process.type)["containers"]
    return dict(found)


@pytest.mark.parametrize(
    ("image", "args", "command", "working_dir"),
    [
        (Image("i", "pack", "/workspace"), ("npm", "start"), ["launcher"], "/workspace"),
        (Image("i", "pack", "/workspace"), (), None, "/workspace"),
        (Image("i", "herokuish", "/app"), ("/start", "web"), None, "/app"),
        (Image("i", "dockerfile", "/srv"), ("60", "true", "a: b"), None, "/srv"),
        (Image("i", "dockerfile", ""), (), None, None),
    ],
)
def test_how_the_image_was_built_decides_command_and_directory(
    image: Image, args: tuple[str, ...], command: list[str] | None, working_dir: str | None
) -> None:
    made = container(web(args=args), image=image)
    assert made.get("args") == (list(args) or None)
    assert made.get("command") == command
    assert made.get("workingDir") == working_dir
    assert built(shop(image=image))["metadata"]["annotations"]["dokku.com/builder-type"] == image.kind


def test_ports_of_the_container() -> None:
    """An https map to a container port that http reaches too is the router's alone."""
    maps = (HTTP, Port("http", 8080, 6000), Port("https", 443, 5000), Port("https", 444, 7000))
    made = container(web(ports=(*maps, Port("udp", 53, 80))))
    assert made["ports"] == [
        {"containerPort": 5000, "name": "http-80-5000", "protocol": "TCP"},
        {"containerPort": 6000, "name": "http-8080-6000", "protocol": "TCP"},
        {"containerPort": 7000, "name": "https-444-7000", "protocol": "TCP"},
        {"containerPort": 80, "name": "udp-53-80", "protocol": "UDP"},
    ]
    assert "ports" not in container(worker())


def test_port_is_told_to_processes_with_a_service_alone() -> None:
    assert container(web(ports=(Port("http", 80, 3000),)))["env"] == [{"name": "PORT", "value": "3000"}]
    exposed = Process("api", 1, "1", ports=(Port("http", 5000, 5000),), primary_port=5000)
    assert container(exposed)["env"] == [{"name": "PORT", "value": "5000"}]
    assert "env" not in container(worker())


def test_stopping_takes_the_app_s_time_and_that_of_the_routers() -> None:
    app = shop(web(), worker(), stop_timeout=90, pre_stop=7)
    assert pod(app)["terminationGracePeriodSeconds"] == 97
    assert pod(app)["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert pod(app, "worker")["terminationGracePeriodSeconds"] == 90
    assert "lifecycle" not in pod(app, "worker")["containers"][0]


def test_an_older_server_knows_no_sleep() -> None:
    app = shop(web(), pre_stop=0)
    assert pod(app)["terminationGracePeriodSeconds"] == 30
    assert "lifecycle" not in pod(app)["containers"][0]


@pytest.mark.parametrize(
    ("process", "seconds"),
    [
        (worker(), 10),
        (worker(checks=[{"type": "liveness", "command": ["true"]}]), None),
        (worker(checks=[{"uptime": 20}, {"uptime": 4}]), 20),
        (web(), None),
        (web(checks=[{"type": "startup", "uptime": 7}, {"type": "readiness", "path": "/"}]), 7),
    ],
)
def test_how_long_a_pod_has_to_stay_up(process: Process, seconds: int | None) -> None:
    assert built(shop(process), process.type)["spec"].get("minReadySeconds") == seconds


@pytest.mark.parametrize(
    ("timeout", "uptime", "deadline"), [(300.0, 0, 300), (0.5, 0, 1), (90.9, 0, 90), (5.0, 20, 21)]
)
def test_the_deadline_is_the_deploy_s_and_longer_than_the_time_to_stay_up(
    timeout: float, uptime: int, deadline: int
) -> None:
    checks = [{"uptime": uptime}] if uptime else []
    spec = built(shop(web(checks=checks), deploy_timeout=timeout))["spec"]
    assert spec["progressDeadlineSeconds"] == deadline
    assert spec["progressDeadlineSeconds"] > spec.get("minReadySeconds", 0)


DEFAULT = {"tcpSocket": {"port": 3000}, "periodSeconds": 1, "failureThreshold": 120, "successThreshold": 1}


@pytest.mark.parametrize("checks", [[], [{"uptime": 5}], [{"type": "startup", "uptime": 5}], [{"path": "/"}]])
def test_a_service_without_a_probe_gets_one_on_its_port(checks: list[Object]) -> None:
    made = container(web(ports=(Port("http", 80, 3000),), checks=checks), deploy_timeout=120.0)
    assert made["readinessProbe"] == DEFAULT
    assert "startupProbe" not in made
    assert "livenessProbe" not in made


def test_no_default_probe_where_it_is_not_wanted() -> None:
    assert "readinessProbe" not in container(web(default_check=False))
    assert "readinessProbe" not in container(worker())
    own = container(web(checks=[{"type": "liveness", "command": ["/check"]}]))
    assert own["livenessProbe"] == {"exec": {"command": ["/check"]}, "successThreshold": 1}
    assert "readinessProbe" not in own


def test_own_checks_stay_when_the_default_one_is_off() -> None:
    made = container(web(default_check=False, checks=[{"type": "readiness", "listening": True}]))
    assert made["readinessProbe"] == {"tcpSocket": {"port": 5000}, "successThreshold": 1}


def test_a_wrong_check_is_named_by_its_place() -> None:
    with pytest.raises(PluginError, match=r"^healthchecks\.web\[1\]\.timeout: "):
        built(shop(web(checks=[{}, {"type": "startup", "path": "/", "timeout": "1"}])))


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], None), (["mine"], [{"name": "mine"}]), (["b", "a"], [{"name": "b"}, {"name": "a"}])],
)
def test_the_pull_secrets(names: list[str], expected: list[Object] | None) -> None:
    assert pod(shop(web(), pull_secrets=names)).get("imagePullSecrets") == expected


def test_each_process_has_its_own_id_and_resources() -> None:
    resources = {"limits": {"memory": "1Gi", "nvidia.com/gpu": "1"}, "requests": {"memory": "1Gi"}}
    kept = Process("worker", 1, "1600000000", resources=resources)
    app = shop(web(), kept)
    for metadata in (
        built(app, "worker")["metadata"],
        built(app, "worker")["spec"]["template"]["metadata"],
    ):
        assert metadata["annotations"]["app.kubernetes.io/version"] == "1600000000"
    assert pod(app, "worker")["containers"][0]["resources"] == resources
    assert built(app)["metadata"]["annotations"]["app.kubernetes.io/version"] == "1700000000"


def test_an_existing_selector_is_kept_with_the_user_s_labels_in_it() -> None:
    live = {
        "app.kubernetes.io/instance": "shop-web",
        "app.kubernetes.io/name": "web",
        "app.kubernetes.io/part-of": "shop",
        "team": "blue",
    }
    spec = built(shop(web(selector=live), labels={"web.pod": {"team": "red", "tier": "1"}}))["spec"]
    assert spec["selector"]["matchLabels"] == live
    assert spec["template"]["metadata"]["labels"] == {**live, "tier": "1"}


def test_a_new_selector_holds_none_of_the_user_s_labels_and_is_met_by_the_pods() -> None:
    labels = {"--global.pod": {"team": "blue", "app.kubernetes.io/name": "mine"}}
    spec = built(shop(web(), labels=labels))["spec"]
    assert spec["selector"]["matchLabels"] == {
        "app.kubernetes.io/instance": "shop-web",
        "app.kubernetes.io/name": "web",
        "app.kubernetes.io/part-of": "shop",
    }
    assert spec["template"]["metadata"]["labels"] == {**spec["selector"]["matchLabels"], "team": "blue"}
