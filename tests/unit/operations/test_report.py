"""`scheduler-k3s:report` of apps and of the host."""

import json

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import report
from unit.dokku_host import Host

APP_KEYS = [
    "cert-issuer-kind",
    "cert-issuer-name",
    "computed-cert-issuer-kind",
    "computed-cert-issuer-name",
    "computed-chart-repository-url",
    "computed-charts-disabled",
    "computed-deploy-timeout",
    "computed-image-pull-secrets",
    "computed-ingress-class",
    "computed-k3s-installer-url",
    "computed-k3s-release-url",
    "computed-k3s-version",
    "computed-kube-context",
    "computed-kubeconfig-path",
    "computed-kustomize-root-path",
    "computed-letsencrypt-email-prod",
    "computed-letsencrypt-email-stag",
    "computed-letsencrypt-server",
    "computed-namespace",
    "computed-network-interface",
    "computed-node-registries",
    "computed-rollback-on-failure",
    "computed-shm-size",
    "deploy-timeout",
    "global-cert-issuer-kind",
    "global-cert-issuer-name",
    "global-chart-repository-url",
    "global-charts-disabled",
    "global-deploy-timeout",
    "global-image-pull-secrets",
    "global-ingress-class",
    "global-k3s-installer-url",
    "global-k3s-release-url",
    "global-k3s-version",
    "global-kube-context",
    "global-kubeconfig-path",
    "global-kustomize-root-path",
    "global-letsencrypt-email-prod",
    "global-letsencrypt-email-stag",
    "global-letsencrypt-server",
    "global-namespace",
    "global-network-interface",
    "global-node-registries",
    "global-node-sysctls-image",
    "global-node-sysctls-pause-image",
    "global-rollback-on-failure",
    "global-shm-size",
    "image-pull-secrets",
    "kustomize-root-path",
    "letsencrypt-email-prod",
    "letsencrypt-email-stag",
    "letsencrypt-server",
    "namespace",
    "rollback-on-failure",
    "shm-size",
]


def test_the_keys_of_an_app(dokku: Host) -> None:
    assert list(report.values("web")) == APP_KEYS
    assert len(APP_KEYS) == 55


def test_the_keys_of_the_host(dokku: Host) -> None:
    expected = [key for key in APP_KEYS if key.startswith(("computed-", "global-"))]
    expected.insert(expected.index("global-shm-size") + 1, "global-token")
    assert list(report.values("--global")) == expected
    assert len(expected) == 45


def test_own_global_and_computed(dokku: Host) -> None:
    dokku.store("web", "namespace", "own")
    dokku.store("--global", "namespace", "host")
    dokku.store("--global", "deploy-timeout", "60")
    app = report.values("web")
    assert (app["namespace"], app["global-namespace"], app["computed-namespace"]) == ("own", "host", "own")
    assert (app["deploy-timeout"], app["computed-deploy-timeout"]) == ("", "60")
    assert report.values("--global")["computed-namespace"] == "host"


def test_the_sysctl_images_show_their_default(dokku: Host) -> None:
    assert report.values("web")["global-node-sysctls-image"] == "busybox:1.36"
    dokku.store("--global", "node-sysctls-image", "own:1")
    assert report.values("web")["global-node-sysctls-image"] == "own:1"
    assert report.values("web")["global-node-sysctls-pause-image"] == "registry.k8s.io/pause:3.9"


def test_chart_overrides_are_in_both_reports_in_byte_order(dokku: Host) -> None:
    dokku.store("--global", "chart-overrides.traefik", '{"b/c.d":"1","a":"x\\ny"}')
    for scope in ("web", "--global"):
        keys = list(report.values(scope))
        at = keys.index("global-chart-repository-url")
        between = keys[at + 1 : keys.index("global-charts-disabled")]
        assert between == ["global-chart.traefik.a", "global-chart.traefik.b/c.d"]


def test_the_text_report(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    dokku.app("web")
    dokku.store("web", "namespace", "own")
    dokku.store("--global", "chart-overrides.traefik", '{"b/c.d-e":"1"}')
    report.show("web")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "=====> web scheduler-k3s information"
    assert len(lines) == 1 + 55 + 1
    assert "       Scheduler k3s computed letsencrypt email prod: " in lines
    assert "       Scheduler k3s namespace:                       own" in lines
    assert "       Scheduler k3s global chart traefik b/c d e:    1" in lines
    assert {line[53] for line in lines[1:]} == {" "}


def test_a_long_override_moves_the_column(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    dokku.store("--global", "chart-overrides.ingress-nginx", json.dumps({"a" * 40: "v"}))
    report.show("--global")
    width = len("--scheduler-k3s-global-chart.ingress-nginx." + "a" * 40)
    lines = capsys.readouterr().out.splitlines()
    assert f"       {'Scheduler k3s computed namespace:':<{width}}default" in lines


def test_json_has_every_key_twice(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    dokku.app("web")
    report.show("web", "json")
    found = json.loads(capsys.readouterr().out)
    assert set(found) == set(APP_KEYS) | {f"scheduler-k3s-{key}" for key in APP_KEYS}
    assert found["computed-namespace"] == found["scheduler-k3s-computed-namespace"] == "default"


def test_the_token_is_hidden_from_the_text_report_only(
    dokku: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    report.show("--global")
    assert f"       {'Scheduler k3s global token:':<47}\n" in capsys.readouterr().out
    dokku.store("--global", "token", "canary")
    report.show("--global")
    text = capsys.readouterr().out
    assert f"       {'Scheduler k3s global token:':<47}*******\n" in text
    assert "canary" not in text
    report.show("--global", "json")
    assert json.loads(capsys.readouterr().out)["global-token"] == "canary"
    report.show("--global", "stdout", ["--scheduler-k3s-global-token"])
    assert capsys.readouterr().out == "canary\n"


def test_all_apps(dokku: Host, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("web", "api"):
        dokku.app(name)
        dokku.store(name, "namespace", f"of-{name}")
    report.show("", "stdout", ["--scheduler-k3s-namespace"])
    assert capsys.readouterr().out == "of-api\nof-web\n"
    report.show("", "json")
    assert [json.loads(line)["namespace"] for line in capsys.readouterr().out.splitlines()] == [
        "of-api",
        "of-web",
    ]


@pytest.mark.parametrize(
    ("layout", "flags", "message"),
    [
        ("yaml", [], 'Format must be "stdout" or "json": "yaml"'),
        ("yaml", ["--x"], 'Format must be "stdout" or "json": "yaml"'),
        ("json", ["--x"], "--format flag cannot be specified when specifying an info flag"),
        ("stdout", ["--x", "--y"], "scheduler-k3s:report command allows only a single flag"),
    ],
)
def test_refusals(dokku: Host, layout: str, flags: list[str], message: str) -> None:
    dokku.app("web")
    with pytest.raises(PluginError) as raised:
        report.show("web", layout, flags)
    assert (raised.value.message, raised.value.exit_code) == (message, 1)


def test_an_unknown_flag_names_all_valid_ones(dokku: Host) -> None:
    dokku.app("web")
    with pytest.raises(PluginError) as raised:
        report.show("web", "stdout", ["--scheduler-k3s-global-token"])
    valid = ", ".join(f"--scheduler-k3s-{key}" for key in APP_KEYS)
    assert raised.value.message == f"Invalid flag passed, valid flags: {valid}"


def test_the_app_comes_first(dokku: Host) -> None:
    with pytest.raises(PluginError, match=r"^App nope does not exist$") as raised:
        report.show("nope", "yaml")
    assert raised.value.exit_code == 20


def test_bytes_that_are_no_utf_8_survive(dokku: Host, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    dokku.store("--global", "namespace", "").write_bytes(b"\xff")
    assert report.values("--global")["global-namespace"].encode("utf-8", "surrogateescape") == b"\xff"
