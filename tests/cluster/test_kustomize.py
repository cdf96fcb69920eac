"""kustomize as kubectl has it: what goes through unharmed, and a deploy that is customized by its image."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes import client
from rig import images
from rig.cluster import Cluster, eventually
from rig.host import TOOLS, Host
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import kustomize

from .apps import app, deployment, get, place, pushed

pytestmark = pytest.mark.cluster

HOSTILE = [
    *(
        "on",
        "no",
        "y",
        "~",
        "null",
        "",
        "1e3",
        "0x1F",
        "007",
        "08",
        "0o17",
        "1_000",
        "1.",
        "+1",
        "-0",
        ".5",
        ".inf",
    ),
    *(
        "2024-01-01",
        "12:30:45",
        "#x",
        "*",
        "&a",
        "!b",
        "=",
        "<<",
        "- x",
        "a: b",
        "@",
        "`",
        "%",
        "{{ }}",
        "?",
        "|",
    ),
    *("  x ", "a\nb\n\n", "\n", "\tx\ny", "x\n---\nkind: Secret", "\r\n", "\\n", "'\"", "true", "x " * 300),
    *("é\u2028😀\ufeff", "\x7f\x85\x9b", "\ufffe\uffff", "\x01\x1b", "\uf8f00041\uf8f1"),
]
PATCH = """patches:
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/replicas
      value: 3
"""


@pytest.fixture
def directory(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kustomization that changes the number of replicas; kubectl is the host's."""
    del host
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(TOOLS))
    (tmp_path / "kustomization.yml").write_text("resources: [rendered.yaml]\n" + PATCH)
    return tmp_path


def built(directory: Path, words: list[str]) -> list[str]:
    annotations = {f"key-{number}": word for number, word in enumerate(words)}
    metadata = {"name": "web", "annotations": annotations}
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"args": words}}
    (result,) = kustomize.build(str(directory), [item])
    assert result == {**item, "spec": {"args": words, "replicas": 3}}
    return list(result["spec"]["args"])


def test_every_text_stays_what_it_was(directory: Path) -> None:
    assert built(directory, HOSTILE) == HOSTILE


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=st.lists(st.text(max_size=30), min_size=20, max_size=60))
def test_any_text_stays_what_it_was(directory: Path, words: list[str]) -> None:
    assert built(directory, words) == words


def test_kustomize_s_own_words_tell_what_is_wrong(directory: Path) -> None:
    (directory / "kustomization.yml").write_text("resources: [missing.yaml]\n")
    with pytest.raises(PluginError, match=r"missing\.yaml") as raised:
        kustomize.build(str(directory), [])
    assert str(directory) not in raised.value.message


CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\ndata:\n  ANSWER: on\n"
TOLERATION = """patches:
- target: {kind: Deployment}
  patch: |-
    - op: add
      path: /spec/template/spec/tolerations
      value: [{key: spot, operator: Exists}]
"""


def _config_maps(cluster: Cluster) -> list[str]:
    return [item.metadata.name for item in cluster.core.list_namespaced_config_map("default").items]


def customized(tag: str, **files: str) -> str:
    """An image with a web server and what is named in its config/kustomize; `_` stands for the dot of a name."""
    return images.build(
        f"rig/customized:{tag}",
        files={f"app/config/kustomize/{name.replace('_', '.')}": text for name, text in files.items()},
        cmd=["sh", "-c", "echo here >index.html; exec httpd -f -p $PORT -h ."],
    )


def test_an_image_brings_its_kustomization(host: Host, cluster: Cluster) -> None:
    resources = "resources: [rendered.yaml, extra.yaml]\n"
    first = customized("first", kustomization_yaml=resources + TOLERATION, extra_yaml=CONFIG_MAP)
    with app(host, "kustom") as name:
        done = host.dokku("git:from-image", name, first)
        assert "takes away" not in done.stderr
        assert deployment(cluster, "kustom-web").spec.template.spec.tolerations[0].key == "spot"
        assert cluster.core.read_namespaced_config_map("extra", "default").data == {"ANSWER": "on"}
        assert eventually(lambda: get(name)) == "here\n"
        refused = host.dokku("git:from-image", name, customized("second", other_yaml="x: 1\n"), check=False)
        assert refused.returncode != 0
        assert "config/kustomize of kustom's source has none of kustomization.yaml" in refused.stderr
        host.dokku("git:from-image", name, customized("third"))
        assert not deployment(cluster, "kustom-web").spec.template.spec.tolerations
        assert "extra" not in _config_maps(cluster)


def test_a_kustomization_that_forgets_the_app_takes_it_away_and_says_so(host: Host, cluster: Cluster) -> None:
    forgetful = "resources: [extra.yaml]\n"
    with app(host, "forget") as name:
        image = customized("forgetful", kustomization_yaml=forgetful, extra_yaml=CONFIG_MAP)
        done = host.dokku("git:from-image", name, image)
        assert "The kustomization of forget leaves none of the app's own objects" in done.stderr
        assert "list rendered.yaml under resources" in done.stderr
        with pytest.raises(client.ApiException, match="not found"):
            deployment(cluster, "forget-web")
    eventually(lambda: "extra" not in _config_maps(cluster))


def test_what_a_kustomization_renames_is_watched_and_a_release_without_objects_is_still_ours(
    host: Host, cluster: Cluster, sample_image: str
) -> None:
    with app(host, "renaming") as name:
        pushed(host, name, sample_image)
        renaming = "resources: [rendered.yaml]\nnameSuffix: -blue\n"
        file = place(host, f"data/scheduler-k3s/{name}/kustomization/kustomization.yaml", renaming)
        done = host.dokku("ps:restart", name)
        assert "web: 1 of 1 pods ready" in done.stdout
        assert deployment(cluster, "renaming-web-blue").status.ready_replicas == 1
        assert eventually(lambda: get(name))
        file.write_text("commonAnnotations: {a: b}\n")
        host.dokku("ps:restart", name)
        with pytest.raises(client.ApiException, match="not found"):
            deployment(cluster, "renaming-web-blue")
        file.write_text("resources: [rendered.yaml]\n")
        host.dokku("ps:restart", name)
        assert deployment(cluster, "renaming-web").status.ready_replicas == 1
