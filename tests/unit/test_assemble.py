"""From dokku's facts to the model: each fact that is wrong is refused in words that name it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from scheduler_k3s import assemble
from scheduler_k3s.app import App, Image, Port, Process, Tls
from scheduler_k3s.dokku.facts import Facts
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret
from scheduler_k3s.tools.release import Release
from unit.models import REQUESTS

NODE = Image("registry.example.com/dokku/shop:3")
FACTS = Facts(
    app="shop",
    repository="registry.example.com/",
    image_repo="dokku/shop",
    image_tag="3",
    push_on_release=True,
    inspected={"Config": {"WorkingDir": "/srv"}},
    scale={"web": 2, "worker": 1},
    config={"KEY": Secret("val")},
    ports=(Port("http", 80, 3000),),
    domains=("a.example.com",),
    nginx={},
    procfile={"web": "npm start --port $PORT", "worker": "node 'my worker.js'"},
    app_json={},
    start_command="",
    dockerfile_start_command="",
    resources={},
    stop_timeout="30",
    checks_disabled=frozenset(),
    docker_config=Secret(""),
    annotations={},
    labels={},
)


def facts(**changes: Any) -> Facts:
    return replace(FACTS, **changes)


def assembled(known: Facts = FACTS, image: Image = NODE, **options: Any) -> App:
    return assemble.app(known, namespace="default", deployment_id="200", image=image, **options)


def process(type_: str, known: Facts = FACTS, image: Image = NODE, **options: Any) -> Process:
    found = assembled(known, image, **options).process(type_)
    assert found is not None
    return found


def refusal(known: Facts, **options: Any) -> str:
    with pytest.raises(PluginError) as raised:
        assembled(known, **options)
    return raised.value.message


def release(values: Mapping[str, Any]) -> Release:
    return Release("shop", "default", 1, "deployed", "0.0.100", values, "", {})


def inspected(**config: object) -> Facts:
    return facts(inspected={"Config": config})


# the image


@pytest.mark.parametrize(
    ("config", "kind", "working_dir"),
    [
        ({"Labels": {"io.buildpacks.stack.id": "heroku-24"}, "WorkingDir": "/x"}, "pack", "/workspace"),
        ({"Labels": {"io.buildpacks.stack.id": "x"}, "Env": ["USER=herokuishuser"]}, "pack", "/workspace"),
        ({"Labels": {"io.buildpacks.stack.id": ""}, "WorkingDir": "/x"}, "dockerfile", "/x"),
        ({"Env": ["PATH=/bin", "USER=herokuishuser"], "WorkingDir": "/x"}, "herokuish", "/app"),
        ({"Env": ["USER=herokuishuser2"], "WorkingDir": "/x"}, "dockerfile", "/x"),
        ({"Env": None, "Labels": None, "WorkingDir": ""}, "dockerfile", ""),
    ],
)
def test_how_an_image_was_built_is_read_from_it(
    config: dict[str, object], kind: str, working_dir: str
) -> None:
    found = assemble.image(inspected(**config), "latest", None)
    assert found == Image("registry.example.com/dokku/shop:3", kind, working_dir)


def test_the_user_of_herokuish_can_be_configured() -> None:
    known = replace(inspected(Env=["USER=me"]), config={"DOKKU_APP_USER": Secret("me")})
    assert assemble.image(known, "", None).kind == "herokuish"


@pytest.mark.parametrize(
    ("own", "given", "expected"), [("7", "latest", "7"), ("", "v2", "v2"), ("", "", "latest")]
)
def test_dokku_s_tag_wins_over_the_trigger_s(own: str, given: str, expected: str) -> None:
    found = assemble.image(facts(image_tag=own), given, None)
    assert found.reference == f"registry.example.com/dokku/shop:{expected}"


def test_an_image_that_is_gone_from_the_host_is_known_from_the_release() -> None:
    stored = release({"global": {"image": {"type": "pack", "working_dir": "/workspace"}}})
    found = assemble.image(facts(inspected=None), "", stored)
    assert found == Image("registry.example.com/dokku/shop:3", "pack", "/workspace")


@pytest.mark.parametrize("stored", [None, release({}), release({"global": {"image": {"type": ""}}})])
def test_an_image_that_nobody_knows_is_refused(stored: Release | None) -> None:
    with pytest.raises(PluginError, match="not found locally and no deployed release to read image metadata"):
        assemble.image(facts(inspected=None), "", stored)


# the pull secret


@pytest.mark.parametrize(
    ("own", "logins", "expected"),
    [
        ("", "", []),
        ("", "{}", ["pull-secret-shop"]),
        ("mine", "", ["mine"]),
        ("mine, other,mine", "{}", ["mine", "other"]),
    ],
)
def test_the_pull_secrets(own: str, logins: str, expected: list[str]) -> None:
    assert list(assemble.pull_secrets(facts(docker_config=Secret(logins)), own)) == expected


def test_a_managed_pull_secret_shortens_the_longest_name() -> None:
    long = "a" * 42
    assembled(facts(app=long))
    assert "pull-secret-" in refusal(facts(app=long), pull_secrets=[f"pull-secret-{long}"])
    assembled(facts(app=long), pull_secrets=["mine"])


# commands


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("herokuish", {"start_command": "x", "dockerfile_start_command": "y"}, ("/start", "web")),
        ("dockerfile", {}, ("npm", "start", "--port", "3000")),
        ("pack", {}, ("npm", "start", "--port", "3000")),
        ("dockerfile", {"start_command": "a 'b c'"}, ("a", "b c")),
        ("pack", {"start_command": "a", "dockerfile_start_command": "y"}, ("a",)),
        ("dockerfile", {"start_command": "a", "dockerfile_start_command": "y $KEY"}, ("y", "val")),
        ("dockerfile", {"procfile": {}}, ()),
        ("dockerfile", {"procfile": {"web": ""}}, ()),
        ("dockerfile", {"procfile": {"web": "x 60 true '' # no"}}, ("x", "60", "true", "")),
        ("dockerfile", {"procfile": {"web": "x * ${NONE:-a} $NONE"}}, ("x", "*", "a")),
    ],
)
def test_where_a_command_comes_from(kind: str, changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert process("web", facts(**changes), Image("i", kind)).args == expected


def test_start_commands_are_for_every_process() -> None:
    assert process("worker", facts(start_command="run")).args == ("run",)
    assert process("worker", facts(dockerfile_start_command="run")).args == ("run",)


def test_port_wins_over_the_config() -> None:
    known = facts(config={"PORT": Secret("1"), "KEY": Secret("k")}, procfile={"web": "x $PORT $KEY"})
    assert process("web", known).args == ("x", "3000", "k")


@pytest.mark.parametrize("text", ["a && b", "a | b", "echo $(id)", "a; b", "a > f", "a &"])
def test_a_command_that_is_no_list_of_words_is_quoted(text: str) -> None:
    told = refusal(facts(procfile={"web": text}))
    assert told.startswith("Error getting start command for deployment: 1:")
    assert text in told


def test_a_command_s_error_shows_no_value() -> None:
    known = facts(config={"KEY": Secret("hush-hush")}, procfile={"web": "x $KEY && y"})
    assert "hush" not in refusal(known)


def test_a_command_that_is_not_text_is_refused() -> None:
    text = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert "that of web is not UTF-8" in refusal(facts(procfile={"web": text}))


def test_dokku_runs_the_release_command_itself() -> None:
    known = facts(scale={"web": 1, "release": 0}, procfile={"web": "x", "release": "a && b"})
    assert process("release", known).args == ()
    assert "a && b" in refusal(replace(known, scale={"web": 1, "release": 1}))


# processes


def test_web_has_the_ports_and_others_have_none() -> None:
    web = process("web", facts(ports=(Port("http", 80, 3000), Port("tcp", 25, 25), Port("https", 443, 3000))))
    assert [port.name for port in web.ports] == ["http-80-3000", "https-443-3000"]
    assert web.primary_port == 3000
    worker = process("worker")
    assert worker.ports == ()
    assert worker.primary_port == 3000


def test_an_app_without_port_maps_has_dokku_s_default() -> None:
    web = process("web", facts(ports=()))
    assert [port.name for port in web.ports] == ["http-80-5000"]
    assert web.primary_port == 5000


def test_an_exposed_process_has_one_port() -> None:
    known = facts(
        app_json={"formation": {"worker": {"service": {"exposed": True}}}},
        procfile={"worker": "serve $PORT"},
    )
    worker = process("worker", known)
    assert worker.ports == (Port("http", 5000, 5000),)
    assert worker.primary_port == 5000
    assert worker.args == ("serve", "5000")
    assert process("web", known).primary_port == 3000


@pytest.mark.parametrize("exposed", [False, None, "true", 1])
def test_only_true_exposes(exposed: object) -> None:
    assert (
        process("worker", facts(app_json={"formation": {"worker": {"service": {"exposed": exposed}}}})).ports
        == ()
    )


def test_exposed_processes_need_no_web() -> None:
    known = facts(scale={"api": 1}, app_json={"formation": {"api": {"service": {"exposed": True}}}})
    app = assembled(known)
    assert [process.has_service for process in app.processes] == [True]
    assert app.domains == ()


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, REQUESTS),
        (
            {"_default_.limit.memory": "64"},
            {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        ),
        (
            {"_default_.reserve.cpu": "1", "web.reserve.cpu": "2", "worker.reserve.cpu": "3"},
            {"requests": {"cpu": "2", "memory": "128Mi"}},
        ),
        (
            {"_default_.reserve.cpu": "1", "web.reserve.cpu": "", "web.reserve.memory": "1g"},
            {"requests": {"cpu": "1", "memory": "1Gi"}},
        ),
        (
            {"web.limit.nvidia-gpu": "2", "web.limit.network": "5"},
            {**REQUESTS, "limits": {"nvidia.com/gpu": "2"}},
        ),
    ],
)
def test_resources_of_a_process_fall_back_to_the_default_s(
    resources: dict[str, str], expected: dict[str, Any]
) -> None:
    assert process("web", facts(resources=resources)).resources == expected


def test_an_amount_that_is_none_names_the_process() -> None:
    told = refusal(facts(resources={"worker.limit.memory": "lots"}))
    assert told.startswith("Resources of shop worker: ")
    assert "lots" in told
    assert "512Mi" in told


@pytest.mark.parametrize(
    ("disabled", "web", "worker"),
    [((), True, True), (("web",), False, True), (("_all_",), False, False)],
)
def test_processes_whose_checks_are_off(disabled: tuple[str, ...], web: bool, worker: bool) -> None:
    known = facts(checks_disabled=frozenset(disabled))
    assert (process("web", known).default_check, process("worker", known).default_check) == (web, worker)


def test_checks_are_those_of_the_process() -> None:
    check = {"type": "startup", "path": "/"}
    known = facts(app_json={"healthchecks": {"web": [check]}})
    assert process("web", known).checks == [check]
    assert process("worker", known).checks == []


@pytest.mark.parametrize(
    ("app_json", "told"),
    [
        ({"healthchecks": []}, None),
        ({"healthchecks": [1]}, "app.json: healthchecks: not an object"),
        ({"healthchecks": {"web": {"type": "startup"}}}, "app.json: healthchecks.web: not a list"),
        ({"formation": ["web"]}, "app.json: formation.web: not an object"),
        ({"formation": {"worker": 2}}, "app.json: formation.worker: not an object"),
    ],
)
def test_app_json_of_the_wrong_shape(app_json: dict[str, Any], told: str | None) -> None:
    if told is None:
        assembled(facts(app_json=app_json))
    else:
        assert refusal(facts(app_json=app_json)) == told


def test_the_live_selector_goes_with_its_process() -> None:
    selectors = {"web": {"team": "blue"}}
    assert process("web", selectors=selectors).selector == {"team": "blue"}
    assert process("worker", selectors=selectors).selector == {}


# ids


def ids(stored: Mapping[str, Any] | None, target: str = "") -> dict[str, str]:
    app = assembled(target=target, stored=release(stored) if stored is not None else None)
    return {process.type: process.deployment_id for process in app.processes}


STORED = {"global": {"deployment_id": "150"}, "processes": {"web": {"deployment_id": "100"}}}


def test_a_full_deploy_gives_every_process_the_new_id() -> None:
    assert ids(STORED) == {"web": "200", "worker": "200"}


@pytest.mark.parametrize(
    ("stored", "target", "expected"),
    [
        (STORED, "web", {"web": "200", "worker": "150"}),
        (STORED, "worker", {"web": "100", "worker": "200"}),
        ({"processes": {"web": {"deployment_id": 100}}}, "worker", {"web": "100", "worker": "200"}),
        ({"global": {"deployment_id": 1700000000}}, "web", {"web": "200", "worker": "1700000000"}),
        ({}, "web", {"web": "200", "worker": "200"}),
        ({"processes": None}, "web", {"web": "200", "worker": "200"}),
        (None, "web", {"web": "200", "worker": "200"}),
    ],
)
def test_a_targeted_restart_keeps_the_ids_of_the_others(
    stored: Mapping[str, Any] | None, target: str, expected: dict[str, str]
) -> None:
    assert ids(stored, target) == expected


def test_the_app_s_own_id_is_always_the_new_one() -> None:
    assert assembled(target="web", stored=release(STORED)).deployment_id == "200"


# what is refused


def test_a_process_type_that_is_not_in_the_scale() -> None:
    assert refusal(FACTS, target="clock") == "Process type clock not found in the scale for app shop"


def test_a_type_that_could_not_be_deployed_and_left_the_procfile_is_not_in_the_way() -> None:
    known = facts(scale={"Worker_A": 0, "web": 1, "worker-a": 0}, procfile={"web": "x", "worker-a": "y"})
    assert [each.type for each in assembled(known).processes] == ["web", "worker-a"]
    told = "Process type 'Worker_A' of shop cannot name objects"
    assert told in refusal(facts(scale={"Worker_A": 1, "web": 1}, procfile={"web": "x"}))
    assert told in refusal(facts(scale={"Worker_A": 0, "web": 1}, procfile={"web": "x", "Worker_A": "y"}))


def test_an_empty_scale() -> None:
    assert "scale is empty" in refusal(facts(scale={}))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"app": "a.b"}, "a.b"),
        ({"app": "config-foo"}, "config-foo"),
        ({"app": "1a"}, "begin with a letter"),
        ({"scale": {"my_worker": 1}}, "my_worker"),
        ({"ports": (Port("http", 10000, 10000),)}, "http:10000:10000"),
        ({"config": {"1X": Secret("hush")}}, "'1X'"),
        ({"stop_timeout": "soon"}, "'soon'"),
        ({"stop_timeout": ""}, "stop-timeout-seconds"),
        ({"stop_timeout": "3\u00b2"}, "dokku ps:set shop stop-timeout-seconds 30"),
    ],
)
def test_each_fact_that_cannot_be_is_named(changes: dict[str, Any], told: str) -> None:
    message = refusal(facts(**changes))
    assert told in message
    assert "hush" not in message


def test_a_leading_digit_is_fine_without_a_service() -> None:
    assert [p.type for p in assembled(facts(app="1a", scale={"worker": 1})).processes] == ["worker"]


def test_routing_is_for_web_alone() -> None:
    assert assembled().domains == ("a.example.com",)
    assert assembled(facts(scale={"worker": 1})).domains == ()
    assert assembled(facts(scale={"web": 0})).domains == ("a.example.com",)


def test_what_is_passed_through() -> None:
    known = facts(
        stop_timeout="90",
        nginx={"hsts": "true"},
        annotations={"web.pod": {"a": "b"}},
        labels={"web.pod": {"c": "d"}},
    )
    app = assembled(known, pull_secrets=["mine"], ingress_class="traefik", deploy_timeout=7.5, pre_stop=3)
    assert (app.name, app.namespace, app.image, app.stop_timeout) == ("shop", "default", NODE, 90)
    assert (app.pull_secrets, app.ingress_class, app.deploy_timeout, app.pre_stop) == (
        ["mine"],
        "traefik",
        7.5,
        3,
    )
    assert (app.nginx, app.annotations, app.labels) == (known.nginx, known.annotations, known.labels)
    assert app.config == known.config


def test_facts_and_model_print_no_secret() -> None:
    known = facts(config={"KEY": Secret("hush")}, docker_config=Secret(json.dumps({"auths": "hush"})))
    assert "hush" not in repr(known)
    assert "hush" not in repr(assembled(known))


# routing


def test_the_certificate_s_source_adds_the_https_half() -> None:
    secured = assembled(tls=Tls("tls-shop"))
    web = secured.process("web")
    assert web is not None
    assert [port.name for port in web.ports] == ["http-80-3000", "https-443-3000"]
    assert secured.tls == Tls("tls-shop")


@pytest.mark.parametrize(
    ("ports", "maps"),
    [
        ((Port("http", 80, 3000), Port("tcp", 5432, 5432), Port("udp", 53, 53)), "tcp:5432:5432, udp:53:53."),
        ((Port("tcp", 5432, 5432),), "tcp:5432:5432, so web gets no Service and no domain leads to it."),
    ],
)
def test_port_maps_that_are_left_out_are_told(ports: tuple[Port, ...], maps: str) -> None:
    (told,) = assembled(facts(ports=ports)).warnings
    assert f"Port maps of shop that are neither http nor https are left out: {maps}" in told
    assert assembled(facts(ports=ports, scale={"worker": 1})).warnings == []


@pytest.mark.parametrize("port", [Port("tcp", 8080, 80), Port("grpc", 443, 443), Port("https", 443, 5000)])
def test_port_maps_that_are_routed_are_not(port: Port) -> None:
    assert assembled(facts(ports=(port,))).warnings == []


def test_domains_are_normalised_and_refused_by_name() -> None:
    assert assembled(facts(domains=("A.com", "a.com", "b.com."))).domains == ("a.com", "b.com")
    assert "Domain 'a_b.com' of shop cannot be routed" in refusal(facts(domains=("a_b.com",)))
