"""The system charts around helm: an API and a repository on loopback, and a script that plays helm."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scheduler_k3s.charts import CHARTS
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import chart_hooks, chart_run, system_charts, target
from unit.dokku_host import Host
from unit.file_server import FileServer, file_server
from unit.helm_records import content, packed
from unit.object_api import Object, ObjectApi, serve

# what it was called with, and the values it read
HELM = 'echo "$3 $(basename $(dirname $0))" >/dev/null; printf "%s\\n" "$*" >>"$TOOLS/calls"; ' + (
    'for word; do case $previous in --values) cat "$word" >"$TOOLS/values";; esac; previous=$word; done\n'
)
FAIL = "echo 'Release does not exist. Installing it now.'; echo; echo 'Error: context deadline exceeded' >&2; exit 1\n"


class Setup:
    def __init__(self, dokku: Host, api: ObjectApi, files: FileServer, tools: Path) -> None:
        self.dokku, self.api, self.files, self.tools = dokku, api, files, tools

    def helm(self, script: str) -> None:
        path = self.tools / "bin/helm"
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)

    def calls(self) -> list[str]:
        """The releases that helm was called for."""
        path = self.tools / "calls"
        return [line.split()[2] for line in path.read_text().splitlines()] if path.exists() else []

    def installed(self, name: str, namespace: str, version: str, status: str = "deployed") -> str:
        metadata = {"name": name, "version": version, "apiVersion": "v2"}
        what = content(1, status, name=name, namespace=namespace, chart={"metadata": metadata})
        path = f"/api/v1/namespaces/{namespace}/secrets/sh.helm.release.v1.{name}.v1"
        labels = {"owner": "helm", "name": name, "status": status, "version": "1"}
        self.api.put(
            path,
            kind="Secret",
            metadata={"labels": labels, "namespace": namespace},
            data={"release": packed(what)},
        )
        return path


@pytest.fixture
def setup(dokku: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    """A cluster of ours, without any chart, and a repository that has all of them."""
    tools = tmp_path / "tools"
    (tools / "bin").mkdir(parents=True)
    (tools / f"python/{sys.implementation.cache_tag}").mkdir(parents=True)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tools))
    monkeypatch.setenv("TOOLS", str(tools))
    with serve() as api, file_server() as files:
        api.groups["/version"] = {"major": "1", "minor": "34"}
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(
            json.dumps(
                {
                    "current-context": "c",
                    "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                    "clusters": [{"name": "k", "cluster": {"server": api.url}}],
                    "users": [{"name": "u", "user": {}}],
                }
            )
        )
        dokku.store("--global", "kubeconfig-path", str(kubeconfig))
        dokku.store("--global", "chart-repository-url", files.url)
        monkeypatch.setattr(target, "DEFAULT_KUBECONFIG", str(kubeconfig))
        entries: dict[str, list[dict[str, object]]] = {}
        for chart in CHARTS:
            files.serve(f"/{chart.name}.tgz", b"chart")
            entries[chart.name] = [{"version": chart.version, "urls": [f"{chart.name}.tgz"]}]
        entries["longhorn"].append({"version": "1.6.0", "urls": ["longhorn.tgz"]})
        files.serve("/index.yaml", json.dumps({"entries": entries}).encode())
        found = Setup(dokku, api, files, tools)
        found.helm(HELM)
        yield found


def processed(text: str) -> dict[str, list[str]]:
    """What was said of each chart."""
    parts = [part.splitlines() for part in text.split("-----> Processing chart ")[1:]]
    return {lines[0].partition("@")[0]: [line.strip() for line in lines[1:]] for lines in parts}


def test_the_charts_of_the_ingress_class_are_installed_in_order(
    setup: Setup, capfd: pytest.CaptureFixture[str]
) -> None:
    system_charts.install()
    assert setup.calls() == [
        "cert-manager",
        "longhorn",
        "ingress-nginx",
        "keda",
        "keda-add-ons-http",
        "vector",
    ]
    said = capfd.readouterr().out
    assert said.splitlines()[:2] == [
        "=====> Installing helm charts",
        "-----> Processing chart cert-manager@v1.13.3",
    ]
    found = processed(said)
    assert found["traefik"] == ["Skipping chart due to ingress-class mismatch"]
    assert found["vector"] == [
        "Installing missing chart",
        f"Fetching vector 0.52.0 from {setup.files.url}",
        "Installed vector 0.52.0",
    ]
    namespaces = {
        item["metadata"]["name"]: item["metadata"]
        for path, item in setup.api.objects.items()
        if "/namespaces/" in path
    }
    assert set(namespaces) == {"cert-manager", "longhorn-system", "ingress-nginx", "keda", "vector"}
    for metadata in namespaces.values():
        assert metadata["labels"] == metadata["annotations"] == {"dokku.com/managed": "true"}


def test_how_helm_is_called(setup: Setup) -> None:
    setup.dokku.store("--global", "kube-context", "c")
    setup.dokku.store("--global", "chart-overrides.vector", '{"big": "1048576", "text": "a,b"}')
    system_charts.install(names=["vector"])
    words = (setup.tools / "calls").read_text().splitlines()[-1].split()
    assert words[:3] == ["upgrade", "--install", "vector"]
    for word in (
        "--create-namespace",
        "--server-side=false",
        "--cleanup-on-fail",
        "--history-max=10",
        "--wait=legacy",
        "--timeout=300.000s",
        "--kube-context=c",
        "--set=big=1048576",
    ):
        assert word in words
    assert words[words.index("--namespace") + 1] == "vector"
    assert not any("rollback" in word or "a,b" in word for word in words)
    values = json.loads((setup.tools / "values").read_text())
    assert (values["big"], values["text"], values["role"]) == (1048576, "a,b", "Agent")


def test_nothing_is_left_of_values_and_archives(setup: Setup) -> None:
    system_charts.install()
    assert sorted(path.name for path in (setup.dokku.data / "--global").iterdir()) == [
        "deploy.lock",
        "helm.lock",
    ]


def test_what_is_there_stays_and_what_is_old_is_upgraded(
    setup: Setup, capfd: pytest.CaptureFixture[str]
) -> None:
    setup.installed("cert-manager", "cert-manager", "v1.13.3")
    setup.installed("longhorn", "longhorn-system", "1.6.0")
    setup.installed("keda", "keda", "2.13.1")
    setup.dokku.store("--global", "charts-disabled", "ingress-nginx, vector")
    system_charts.install()
    assert setup.calls() == ["keda", "keda-add-ons-http"]
    said = capfd.readouterr()
    found = processed(said.out)
    assert found["cert-manager"] == ["Skipping chart: already installed"]
    assert found["vector"] == ["Skipping chart: disabled"]
    assert found["longhorn"] == []
    assert said.err == " !     longhorn 1.6.0 is newer than 1.5.3, left alone\n"
    assert found["keda"][0] == "Installing chart due to version mismatch: 2.13.1 != 2.19.0"


def test_a_pending_revision_of_a_dead_process_is_ended_first(setup: Setup) -> None:
    path = setup.installed("cert-manager", "cert-manager", "v1.13.3", "pending-upgrade")
    system_charts.install()
    assert setup.api.objects[path]["metadata"]["labels"]["status"] == "failed"
    assert setup.calls()[0] == "cert-manager"


def test_a_namespace_that_is_being_deleted_has_to_be_gone_first(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/api/v1/namespaces/vector"
    setup.api.put(path, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    monkeypatch.setattr(chart_run, "_INTERVAL", 0.01)
    looks = []
    others = setup.api.answer

    def answer(method: str, where: str, query: dict[str, str], body: Object) -> tuple[int, Object]:
        if where == path:
            looks.append(method)
            if len(looks) == 3:
                del setup.api.objects[path]
        return others(method, where, query, body)

    monkeypatch.setattr(setup.api, "answer", answer)
    system_charts.install(names=["vector"])
    assert setup.calls()[-1] == "vector"
    assert "deletionTimestamp" not in setup.api.objects[path]["metadata"]


def test_a_release_that_cannot_be_read_is_skipped(setup: Setup, capfd: pytest.CaptureFixture[str]) -> None:
    path = setup.installed("keda", "keda", "2.13.1")
    setup.api.objects[path]["data"]["release"] = "bm90IGhlbG0ncw=="
    system_charts.install()
    assert "keda" not in setup.calls()
    assert setup.calls()[-1] == "vector"
    assert capfd.readouterr().err.startswith(
        " !     Unable to get installed revision: Unable to read helm's record "
    )
    with pytest.raises(PluginError, match="Error installing chart keda: Unable to get installed revision: "):
        system_charts.install(force=True)


def refusal(**asked: object) -> str:
    with pytest.raises(PluginError) as raised:
        system_charts.install(**asked)  # type: ignore[arg-type]
    return raised.value.message


def test_unknown_names_and_impossible_overrides_are_refused_before_anything(setup: Setup) -> None:
    assert refusal(names=["keda", "nginx"]).startswith(
        'Invalid chart name "nginx", valid charts: cert-manager, '
    )
    setup.dokku.store("--global", "chart-overrides.vector", '{"role.x": "1"}')
    assert "Override role.x of vector cannot be applied" in refusal()
    setup.dokku.store("--global", "chart-overrides.vector", "{}")
    (setup.dokku.config.parent / "logs/--global").mkdir(parents=True)
    (setup.dokku.config.parent / "logs/--global/vector-sink").write_text("nonsense")
    assert "Invalid vector-sink of the logs plugin: " in refusal()
    assert setup.calls() == []
    assert all(method == "GET" for method, *_ in setup.api.asked)


def test_an_impossible_override_of_a_chart_that_is_left_out_is_no_obstacle(setup: Setup) -> None:
    setup.dokku.store("--global", "chart-overrides.vector", '{"role.x": "1"}')
    setup.dokku.store("--global", "charts-disabled", "vector")
    system_charts.install()
    assert setup.calls()[-1] == "keda-add-ons-http"


def test_the_first_failure_ends_the_run_with_helm_s_words_and_the_pods(setup: Setup) -> None:
    setup.helm(FAIL)
    status = {
        "phase": "Running",
        "containerStatuses": [{"name": "w", "state": {"running": {"startedAt": "now"}}}],
    }
    setup.api.put("/api/v1/namespaces/cert-manager/pods/webhook-1", status=status)
    message = refusal()
    assert message.splitlines()[:2] == [
        "Unable to install helm charts: Error installing chart cert-manager: "
        "not all of it was ready within 300s (context deadline exceeded)",
        "cert-manager: pod webhook-1: NotReady: started, not ready yet",
    ]


def test_pods_that_helm_did_not_wait_for_are_told_of(setup: Setup, capfd: pytest.CaptureFixture[str]) -> None:
    waiting = {"reason": "ErrImagePull", "message": "not found"}
    status = {"containerStatuses": [{"name": "v", "image": "timberio/vector", "state": {"waiting": waiting}}]}
    setup.api.put("/api/v1/namespaces/vector/pods/vector-1", status=status)
    system_charts.install(names=["vector"])
    assert processed(capfd.readouterr().out)["vector"][-2:] == [
        "Not waited for: 0 of 1 pods ready, 1 failing to pull timberio/vector",
        "Installed vector 0.52.0",
    ]


def test_a_chart_that_the_repository_lacks_names_the_setting(setup: Setup) -> None:
    setup.files.serve("/index.yaml", b'{"entries": {}}')
    assert refusal() == (
        "Unable to install helm charts: Error installing chart cert-manager: "
        f"{setup.files.url} does not have the chart cert-manager v1.13.3: it has none of that name. "
        "Another repository is set with: dokku scheduler-k3s:set --global chart-repository-url URL"
    )


def test_a_server_that_is_down(setup: Setup) -> None:
    setup.api.down = 503
    assert refusal().startswith("kubernetes api not available: ")


def test_only_passing_a_version_runs_its_hook() -> None:
    def due(installed: str, goal: str) -> list[str]:
        return [hook.version for hook in chart_hooks.due("keda-add-ons-http", installed, goal)]

    assert due("0.11.1", "0.12.2") == due("0.11.1", "0.13.0") == due("v0.12.1", "0.12.2") == ["0.12.2"]
    assert due("", "0.12.2") == due("0.12.2", "0.13.0") == due("0.11.0", "0.12.1") == []
    assert chart_hooks.due("keda", "0.11.1", "0.12.2") == []


def test_the_hook_removes_the_deployments_before_the_upgrade_once(
    setup: Setup, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.installed("keda-add-ons-http", "keda", "0.11.1")
    labels = {"app.kubernetes.io/instance": "keda-add-ons-http"}
    path = "/apis/apps/v1/namespaces/keda/deployments/interceptor"
    setup.api.put(path, metadata={"labels": labels})
    setup.api.put("/apis/apps/v1/namespaces/keda/deployments/operator", metadata={"labels": {}})
    others = setup.api.answer

    def answer(method: str, where: str, query: dict[str, str], body: Object) -> tuple[int, Object]:
        if method == "DELETE":
            assert body == {"propagationPolicy": "Foreground"}
            del setup.api.objects[where]
            return 200, {}
        return others(method, where, query, body)

    monkeypatch.setattr(setup.api, "answer", answer)
    system_charts.install()
    assert path not in setup.api.objects
    assert "/apis/apps/v1/namespaces/keda/deployments/operator" in setup.api.objects
    assert setup.calls().count("keda-add-ons-http") == 1
    assert processed(capfd.readouterr().out)["keda-add-ons-http"][1:3] == [
        "Running pre-upgrade hook keda-add-ons-http@0.12.2",
        "Upgrading keda-add-ons-http to intermediate version 0.12.2",
    ]
