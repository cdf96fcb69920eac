"""What a deploy learns from dokku: files and listeners as they are on a host, each question asked once."""

import dataclasses
import json
from pathlib import Path

import pytest
from scheduler_k3s.app import Port
from scheduler_k3s.dokku import facts, triggers
from scheduler_k3s.errors import PluginError
from scheduler_k3s.secret import Secret
from unit.dokku_host import Host

LOG = 'echo "$(basename "$0") $*" >>"$LOG"\n'
ANSWERS = {
    ("registry", "deployed-app-repository"): "echo registry.example.com/",
    ("registry", "deployed-app-image-repo"): "echo dokku/shop",
    ("registry", "deployed-app-image-tag"): "echo 3",
    ("ps", "ps-current-scale"): "printf 'web=2\\nworker=1'",
    ("config", "config-export"): """printf %s '{"KEY":"a\\nb","EMPTY":""}'""",
    ("ports", "ports-get"): """echo '[{"container_port":3000,"host_port":80,"scheme":"http"}]'""",
    ("domains", "domains-vhost-enabled"): "exit 0",
    ("domains", "domains-list"): "printf 'b.example.com\\n\\n a.example.com \\nb.example.com\\n'",
}
REPORT = """echo '{"computed-hsts":"true","computed-proxy-buffers":"8 4k","hsts":"no","computed-n":1}'"""
INSPECT = """echo '[{"Config":{"WorkingDir":"/srv"}}]'"""


def script(body: str) -> str:
    return f"#!/bin/sh\n{LOG}{body}\n"


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script(body))
    path.chmod(0o755)
    return path


class Asked:
    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self) -> list[str]:
        return sorted(self._log.read_text().splitlines())


@pytest.fixture
def asked(dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A host that answers everything; what it is asked is written down."""
    for (plugin, trigger), body in ANSWERS.items():
        dokku.listener(plugin, trigger, script(body))
    available = dokku.lib / "plugins/available"
    executable(available / "nginx-vhosts/subcommands/report", REPORT)
    docker = executable(tmp_path / "docker", INSPECT)
    monkeypatch.setenv("PLUGIN_AVAILABLE_PATH", str(available))
    monkeypatch.setenv("DOCKER_BIN", str(docker))
    monkeypatch.setenv("LOG", str(tmp_path / "asked"))
    monkeypatch.delenv("DOKKU_PID", raising=False)
    return Asked(tmp_path / "asked")


def prop(dokku: Host, plugin: str, scope: str, name: str, text: str) -> None:
    path = dokku.lib / "config" / plugin / scope / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def extracted(dokku: Host, plugin: str, name: str, text: str) -> None:
    path = dokku.lib / "data" / plugin / "shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def test_everything_is_asked_once(asked: Asked) -> None:
    facts.gather("shop")
    assert asked() == [
        "config-export shop false true json",
        "deployed-app-image-repo shop",
        "deployed-app-image-tag shop",
        "deployed-app-repository shop",
        "docker image inspect dokku/shop:latest",
        "domains-list shop",
        "domains-vhost-enabled shop",
        "ports-get shop json",
        "ps-current-scale shop",
        "report nginx:report shop --format json",
    ]


def test_the_answers(asked: Asked) -> None:
    known = facts.gather("shop")
    assert known.image("latest") == "registry.example.com/dokku/shop:3"
    assert known.scale == {"web": 2, "worker": 1}
    assert known.config == {"KEY": Secret("a\nb"), "EMPTY": Secret("")}
    assert known.ports == (Port("http", 80, 3000),)
    assert known.domains == ("a.example.com", "b.example.com")
    assert known.nginx == {"hsts": "true", "proxy-buffers": "8 4k", "n": "1"}
    assert known.inspected == {"Config": {"WorkingDir": "/srv"}}
    assert known.push_on_release is False
    assert (known.procfile, known.app_json, known.resources) == ({}, {}, {})
    assert (known.start_command, known.dockerfile_start_command, known.stop_timeout) == ("", "", "30")
    assert known.docker_config == Secret("")
    assert (known.annotations, known.labels, known.checks_disabled) == ({}, {}, frozenset())


def test_the_files(asked: Asked, dokku: Host) -> None:
    prop(dokku, "registry", "shop", "push-on-release", "true")
    prop(dokku, "ps", "shop", "start-cmd", "run me")
    prop(dokku, "ps", "shop", "dockerfile-start-cmd", "run it")
    prop(dokku, "ps", "--global", "stop-timeout-seconds", "60")
    prop(dokku, "checks", "shop", "disabled", "web, api")
    prop(dokku, "checks", "shop", "skipped", "_all_")
    prop(dokku, "resource", "shop", "_default_.limit.memory", "512")
    extracted(
        dokku, "ps", "Procfile", "web: npm start\r\n# no: comment\n my: x\nworker-2:\tnode  a:b  \nempty:\n"
    )
    extracted(dokku, "app-json", "app.json", '{"cron": [], /* why */ "formation": {},}')
    known = facts.gather("shop")
    assert known.push_on_release
    assert (known.start_command, known.dockerfile_start_command, known.stop_timeout) == (
        "run me",
        "run it",
        "60",
    )
    assert known.checks_disabled == {"web", "api", "_all_"}
    assert known.resources == {"_default_.limit.memory": "512"}
    assert known.procfile == {"web": "npm start", "worker-2": "node  a:b", "empty": ""}
    assert known.app_json == {"cron": [], "formation": {}}


@pytest.mark.parametrize("scope", ["shop", "--global"])
def test_pushing_can_be_set_for_the_host(asked: Asked, dokku: Host, scope: str) -> None:
    prop(dokku, "registry", scope, "push-on-release", "true")
    assert facts.gather("shop").push_on_release
    prop(dokku, "registry", "shop", "push-on-release", "false")
    assert not facts.gather("shop").push_on_release


def test_a_file_of_this_deploy_wins_over_that_of_the_last(
    asked: Asked, dokku: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracted(dokku, "ps", "Procfile", "web: old\n")
    extracted(dokku, "ps", "Procfile.77", "web: new\n")
    extracted(dokku, "app-json", "app.json", '{"a": 1}')
    extracted(dokku, "app-json", "app.json.77.missing", "")
    assert (facts.procfile("shop"), facts.app_json("shop")) == ({"web": "old"}, {"a": 1})
    monkeypatch.setenv("DOKKU_PID", "77")
    assert (facts.procfile("shop"), facts.app_json("shop")) == ({"web": "new"}, {})


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (("ps", "ps-current-scale"), "dokku's ps plugin failed to answer ps-current-scale (7): no scale"),
        (("domains", "domains-list"), "dokku's domains plugin failed to answer domains-list (7): no scale"),
        (("config", "config-export"), "dokku's config plugin failed to answer config-export (7): no scale"),
    ],
)
def test_a_listener_that_fails_is_named_with_its_words(
    asked: Asked, dokku: Host, key: tuple[str, str], message: str
) -> None:
    dokku.listener(*key, script("echo no scale >&2; exit 7"))
    with pytest.raises(PluginError) as raised:
        facts.gather("shop")
    assert raised.value.message == message


def test_a_listener_that_fails_in_silence_is_named_too(asked: Asked, dokku: Host) -> None:
    dokku.listener("ports", "ports-get", script("exit 1"))
    with pytest.raises(PluginError, match=r"ports plugin failed to answer ports-get \(1\): no message"):
        facts.gather("shop")


def test_domains_that_are_off_are_not_listed(asked: Asked, dokku: Host) -> None:
    dokku.listener("domains", "domains-vhost-enabled", script("exit 1"))
    assert facts.gather("shop").domains == ()
    assert "domains-list shop" not in asked()


@pytest.mark.parametrize("body", ["exit 1", "echo '[]'; exit 1", "echo no json", "echo '[]'"])
def test_an_image_that_docker_does_not_have(asked: Asked, tmp_path: Path, body: str) -> None:
    executable(tmp_path / "docker", body)
    assert facts.gather("shop").inspected is None


def test_a_host_without_docker(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_BIN", "/nonexistent/docker")
    assert facts.gather("shop").inspected is None


def test_a_host_without_the_nginx_plugin(asked: Asked, dokku: Host) -> None:
    (dokku.lib / "plugins/available/nginx-vhosts/subcommands/report").unlink()
    assert facts.gather("shop").nginx == {}


def test_an_nginx_report_that_fails(asked: Asked, dokku: Host) -> None:
    executable(dokku.lib / "plugins/available/nginx-vhosts/subcommands/report", "echo broken >&2; exit 3")
    with pytest.raises(PluginError, match="nginx:report failed: broken"):
        facts.gather("shop")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("sleep 60", "nginx:report failed: no answer after 0.2 s"),
        ("echo '[1]'", "dokku's answer to nginx:report is not an object"),
    ],
)
def test_an_nginx_report_that_is_none(
    asked: Asked, dokku: Host, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    executable(dokku.lib / "plugins/available/nginx-vhosts/subcommands/report", script)
    monkeypatch.setattr(triggers, "TIMEOUT", 0.2)
    with pytest.raises(PluginError, match=message):
        facts.nginx("shop")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("web=1", {"web": 1}),
        ("release=0\nweb=2\nworker=1", {"release": 0, "web": 2, "worker": 1}),
        (" web=1 \n\n", {"web": 1}),
    ],
)
def test_scale(text: str, expected: dict[str, int]) -> None:
    assert facts.parse_scale("shop", text) == expected


@pytest.mark.parametrize("text", ["web", "web=", "web=two", "=1", "web=-1", "web=²", "web=1.5"])
def test_a_scale_that_is_none_is_quoted(text: str) -> None:
    with pytest.raises(PluginError) as raised:
        facts.parse_scale("shop", f"worker=1\n{text}\n")
    assert repr(text) in raised.value.message


@pytest.mark.parametrize("text", ["", "[]", "null", "[]\n", "\n"])
def test_no_ports(text: str) -> None:
    assert facts.parse_ports(text) == ()


@pytest.mark.parametrize("text", ['[{"scheme":"http"}]', "[1]", '{"a":1}', "http:80:5000", "7"])
def test_ports_of_another_shape(text: str) -> None:
    with pytest.raises(PluginError, match="dokku's answer to ports-get is not"):
        facts.parse_ports(text)


@pytest.mark.parametrize("text", ["", "[]", '{"KEY": 1}', "null", 'KEY="hush"'])
def test_config_of_another_shape_is_refused_unseen(text: str) -> None:
    with pytest.raises(PluginError, match="dokku's answer to config-export is not") as raised:
        facts.parse_config(text)
    assert "hush" not in raised.value.message


@pytest.mark.parametrize("path", ["ENV", "shop/ENV"])
def test_config_that_is_not_utf_8_is_refused_by_its_names(asked: Asked, dokku: Host, path: str) -> None:
    answer = json.dumps({"A": "fine", "B": "hunter\ufffd", "C": "\ufffd"})
    dokku.listener("config", "config-export", f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    (dokku.root / "shop").mkdir(exist_ok=True)
    (dokku.root / path).write_bytes(b"export B='hunter\xff'\n")
    with pytest.raises(PluginError, match=r"not UTF-8, which Kubernetes requires: B, C\. ") as raised:
        facts.gather("shop")
    assert "hunter" not in raised.value.message
    (dokku.root / path).write_bytes("export B='hunter\ufffd'\n".encode())
    assert facts.gather("shop").config["B"].reveal() == "hunter\ufffd"


@pytest.mark.parametrize("text", ["", " \n", "{}"])
def test_no_app_json(dokku: Host, text: str) -> None:
    extracted(dokku, "app-json", "app.json", text)
    assert facts.app_json("shop") == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [("[]", "not a JSON object"), ('{\n  "a": x}', "line 2"), ('"text"', "not a JSON object")],
)
def test_app_json_that_is_none_is_named(dokku: Host, text: str, told: str) -> None:
    extracted(dokku, "app-json", "app.json", text)
    with pytest.raises(PluginError) as raised:
        facts.app_json("shop")
    assert raised.value.message.startswith("app.json of shop: ")
    assert told in raised.value.message


# registry credentials

LOGIN = '{"auths": {"registry.example.com": {"auth": "aHVzaA=="}}}\r\n'


def credentials(dokku: Host, own: str | None = None, common: str | None = None) -> str:
    (dokku.root / ".docker").mkdir(exist_ok=True)
    if own is not None:
        prop(dokku, "registry", "shop", "config.json", own)
    if common is not None:
        (dokku.root / ".docker/config.json").write_bytes(common.encode())
    return facts.docker_config("shop").reveal()


def test_the_app_s_login_wins(dokku: Host) -> None:
    assert credentials(dokku, LOGIN, "{}") == LOGIN


@pytest.mark.parametrize("own", ["{}", '{"auths": {}}', '{"auths": null}', None])
def test_a_file_without_a_login_is_none(dokku: Host, own: str | None) -> None:
    assert credentials(dokku, own, LOGIN) == LOGIN
    assert credentials(dokku, own, '{"credsStore": "x"}') == '{"credsStore": "x"}'


def test_no_login_at_all(dokku: Host) -> None:
    assert credentials(dokku) == ""
    assert credentials(dokku, "{}") == ""


@pytest.mark.parametrize("text", ["", "hush", "[]", '"hush"'])
def test_a_file_that_is_no_docker_config_is_named_and_not_shown(dokku: Host, text: str) -> None:
    for own, common in ((text, None), ("{}", text)):
        with pytest.raises(PluginError, match=r"config\.json: not a docker config") as raised:
            credentials(dokku, own, common)
        assert "hush" not in raised.value.message


def test_credentials_that_are_a_directory(dokku: Host) -> None:
    (dokku.root / ".docker/config.json").mkdir(parents=True)
    with pytest.raises(PluginError, match="Unable to read the registry credentials"):
        facts.docker_config("shop")


# annotations and labels


def test_annotations_and_labels_of_the_app_and_of_all_apps(asked: Asked, dokku: Host) -> None:
    for scope, name, content in (
        ("--global", "--global.pod", {"a": "host", "b": "host", "c": "host"}),
        ("--global", "web.pod", {"a": "host-web", "b": "host-web", "d": "host-web"}),
        ("shop", "--global.pod", {"b": "app", "e": "app"}),
        ("shop", "web.pod", {"e": "app-web"}),
        ("shop", "labels.web.pod", {"l": "app-web"}),
        ("--global", "labels.--global.service", {"l": "host"}),
        ("other", "web.pod", {"z": "other"}),
    ):
        dokku.store(scope, name, json.dumps(content))
    known = facts.gather("shop")
    assert known.annotations == {
        "--global.pod": {"a": "host", "b": "app", "c": "host", "e": "app"},
        "web.pod": {"a": "host-web", "d": "host-web", "e": "app-web"},
    }
    assert known.labels == {"web.pod": {"l": "app-web"}, "--global.service": {"l": "host"}}


def test_keys_that_are_not_the_user_s_are_left_out_and_named(asked: Asked, dokku: Host) -> None:
    label, hook = "app.kubernetes.io/part-of", "helm.sh/hook"
    dokku.store("shop", "labels.web.pod", json.dumps({label: "other", "team": "a"}))
    dokku.store("--global", "--global.job", json.dumps({hook: "pre-install", label: "x"}))
    known = facts.gather("shop")
    assert known.labels == {"web.pod": {"team": "a"}}
    assert known.annotations == {"--global.job": {label: "x"}}
    assert known.reserved == [
        ("shop", "labels.", "web.pod", label),
        ("--global", "", "--global.job", hook),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "namespace",
        "web.unknown",
        "deployment",
        ".deployment",
        "trigger-auth.cron.secret",
        "chart-overrides.ingress",
        "chart.keda.service",
        "node-sysctls.profile.pod",
        "node-profile-a.job",
        "labels.web.keda_secret",
    ],
)
def test_other_properties_are_not_taken_for_them(asked: Asked, dokku: Host, name: str) -> None:
    dokku.store("shop", name, '{"a": "b"}')
    known = facts.gather("shop")
    assert (known.annotations, known.labels) == ({}, {})


def test_a_map_that_is_none_is_named(asked: Asked, dokku: Host) -> None:
    dokku.store("shop", "web.pod", "a: b")
    with pytest.raises(PluginError, match=r"web\.pod"):
        facts.gather("shop")


def test_facts_show_no_secret(asked: Asked, dokku: Host) -> None:
    dokku.listener("config", "config-export", script("""echo '{"KEY":"hush"}'"""))
    credentials(dokku, '{"auths": {"hush": {}}}')
    assert "hush" not in repr(dataclasses.asdict(facts.gather("shop")))
