"""helm's records: what is read from them, what is written into them, and how large they get."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_k3s.errors import PluginError
from scheduler_k3s.manifests import chart
from scheduler_k3s.tools import release
from scheduler_k3s.tools.cluster import ApiError
from scheduler_k3s.tools.revisions import revisions_of
from unit.helm_records import content, packed, record
from unit.object_api import ObjectApi, serve

Object = dict[str, Any]
SECRETS = "/api/v1/namespaces/default/secrets"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectApi]:
    monkeypatch.delenv("HELM_DRIVER", raising=False)
    with serve() as served:
        yield served


def place(api: ObjectApi, revision: int, status: str, kind: str = "Secret") -> str:
    path = f"/api/v1/namespaces/default/{kind.lower()}s/sh.helm.release.v1.shop.v{revision}"
    api.put(path, **record(content(revision, status), kind, revision, status))
    return path


def unpacked(item: Object, kind: str = "Secret") -> Object:
    text = base64.b64decode(item["data"]["release"])
    if kind == "Secret":
        text = base64.b64decode(text)
    found: Object = json.loads(gzip.decompress(text))
    return found


def test_a_record_is_read() -> None:
    found = release.decode(record(content()))
    assert (found.name, found.namespace, found.revision, found.status) == ("shop", "default", 3, "deployed")
    assert found.chart_version == "0.0.1700000000"
    assert found.value("global.deployment_id") == "1700000000"
    assert found.manifest == "---\n# Source: shop/templates/objects.yaml\n{}\n"


def test_a_record_in_a_config_map_is_read() -> None:
    assert release.decode(record(content(), "ConfigMap")).revision == 3


def test_a_record_that_is_not_packed_is_read_as_helm_reads_it() -> None:
    assert release.decode(record(json.dumps(content()).encode())).revision == 3


@pytest.mark.parametrize(
    ("manifest", "app_name", "expected"),
    [
        ("---\nmetadata: {annotations: {dokku.com/managed: 'true'}}\n", "", True),
        ("", "shop", True),
        ("", "other", False),
        ("---\nkind: Service\n", "", False),
    ],
)
def test_dokku_s_releases_are_known_by_their_objects_or_their_values(
    manifest: str, app_name: str, expected: bool
) -> None:
    values = {"global": {"app_name": app_name} if app_name else {}}
    found = release.decode(record(content(chart={"values": values}, manifest=manifest)))
    assert found.is_dokkus is expected


@pytest.mark.parametrize(
    ("values", "config", "path", "expected"),
    [
        ({"global": {"deployment_id": 1700000000}}, None, "global.deployment_id", "1700000000"),
        (
            {"global": {"image": {"type": "pack"}}},
            {"global": {"image": {"type": "x"}}},
            "global.image.type",
            "x",
        ),
        ({"a": {"b": "1", "c": "2"}}, {"a": {"b": "9"}}, "a.c", "2"),
        ({"a": {"b": "1"}}, {"a": "text"}, "a", "text"),
        ({"a": "text"}, {"a": {"b": "1"}}, "a.b", "1"),
        ({"a": None}, None, "a", ""),
        ({}, None, "a.b", ""),
        ({"a": "text"}, None, "a.b", ""),
        (None, None, "a", ""),
    ],
)
def test_values_are_the_chart_s_overlaid_by_those_given(
    values: object, config: object, path: str, expected: str
) -> None:
    found = release.decode(record(content(chart={"values": values}, config=config)))
    assert found.value(path) == expected


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"release": ""},
        {"release": "not base64!"},
        {"release": packed(b"")},
        {"release": packed(b"no json")},
        {"release": packed([])},
        {"release": packed({"name!": "x"})},
        {"release": packed(gzip.compress(json.dumps(content()).encode())[:60])},
        {"release": packed(gzip.compress(b"{}")[:10] + b"\xff" * 40)},
        {"release": packed(b"\x1f\x8b")},
        {"release": None},
    ],
)
def test_a_damaged_record_is_named(data: Object) -> None:
    damaged = {**record({}), "data": data}
    with pytest.raises(PluginError, match=r"helm's record sh\.helm\.release\.v1\.shop\.v3: it is damaged"):
        release.decode(damaged)


def test_the_newest_revision_is_found_by_number(api: ObjectApi) -> None:
    for revision, status in ((2, "superseded"), (9, "deployed"), (10, "failed")):
        place(api, revision, status)
    api.put(f"{SECRETS}/other", metadata={"labels": {"owner": "helm", "name": "other", "version": "99"}})
    cluster = api.cluster()
    revisions = revisions_of(cluster, "default", "shop")
    assert [int(entry["metadata"]["labels"]["version"]) for entry in revisions] == [2, 9, 10]
    newest = release.newest(cluster, "default", "shop")
    deployed = release.newest(cluster, "default", "shop", status="deployed")
    assert newest is not None
    assert deployed is not None
    assert (newest.revision, deployed.revision) == (10, 9)
    assert release.newest(cluster, "default", "shop", status="uninstalled") is None
    assert release.newest(cluster, "default", "nothing") is None


def test_a_revision_that_went_meanwhile_is_none(api: ObjectApi) -> None:
    path = place(api, 1, "deployed")
    (entry,) = revisions_of(api.cluster(), "default", "shop")
    del api.objects[path]
    assert release.fetch(api.cluster(), "default", entry) is None


@pytest.mark.parametrize(
    ("driver", "kind"), [("", "Secret"), ("secret", "Secret"), ("configmap", "ConfigMap")]
)
def test_a_status_is_written_as_helm_writes_it(
    api: ObjectApi, monkeypatch: pytest.MonkeyPatch, driver: str, kind: str
) -> None:
    monkeypatch.setenv("HELM_DRIVER", driver)
    path = place(api, 3, "pending-upgrade", kind)
    found = release.newest(api.cluster(), "default", "shop")
    assert found is not None
    assert found.status in release.PENDING
    release.set_status(api.cluster(), found, "failed", "its process is dead")
    expected = content(3, "failed")
    expected["info"]["description"] = "its process is dead"
    assert unpacked(api.objects[path], kind) == expected
    assert api.objects[path]["metadata"]["labels"]["status"] == "failed"
    again = release.newest(api.cluster(), "default", "shop", status="failed")
    assert again is not None
    assert again.status == "failed"
    assert found.status == "pending-upgrade"


def test_a_status_that_somebody_else_changed_is_not_overwritten(api: ObjectApi) -> None:
    path = place(api, 3, "pending-upgrade")
    found = release.newest(api.cluster(), "default", "shop")
    assert found is not None
    api.objects[path]["metadata"] = {**api.objects[path]["metadata"], "resourceVersion": "7"}
    before = dict(api.objects[path])
    with pytest.raises(ApiError) as raised:
        release.set_status(api.cluster(), found, "failed", "")
    assert raised.value.code == 409
    assert api.objects[path] == before


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_in_a_record_survives_a_change_of_status(text: str) -> None:
    with serve() as api:
        path = f"{SECRETS}/x"
        what = content(manifest=text, chart={"values": {"v": text, text: 1}})
        api.put(path, **record(what) | {"metadata": {**record(what)["metadata"], "name": "x"}})
        found = release.decode(api.objects[path])
        release.set_status(api.cluster(), found, "failed", text)
        after = release.decode(api.objects[path])
        assert (after.manifest, after.values) == (text, {"v": text, text: 1})
        assert unpacked(api.objects[path])["info"]["description"] == text


@pytest.mark.parametrize("driver", ["memory", "sql", "Secret"])
def test_other_drivers_are_refused_by_name(
    api: ObjectApi, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    monkeypatch.setenv("HELM_DRIVER", driver)
    with pytest.raises(PluginError, match=f"HELM_DRIVER is '{driver}'"):
        release.newest(api.cluster(), "default", "shop")


def recorded(files: dict[str, str], namespace: str = "default") -> int:
    """The size of helm's record of a chart: its shape, Go's JSON, the level of gzip that helm uses."""
    made = content(
        chart={
            "metadata": json.loads(files["Chart.yaml"]),
            "lock": None,
            "templates": [{"name": "templates/objects.yaml", "data": "e" * 44, "modtime": "2026" * 8}],
            "values": json.loads(files["values.yaml"]),
            "schema": None,
            "schemamodtime": "0001-01-01T00:00:00Z",
            "files": [
                {"name": "objects.json", "data": base64.b64encode(files["objects.json"].encode()).decode()}
            ],
            "modtime": "2026" * 8,
        },
        manifest=files["objects.json"].replace("---\n", "---\n# Source: shop/templates/objects.yaml\n"),
    )
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u00{ord(letter):02x}")
    return len(base64.b64encode(gzip.compress(text.encode(), compresslevel=9)))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=20), st.text("<>&\"'\\\né\U0001f600ab", max_size=2000)), max_size=30
    ),
    st.integers(0, 100_000),
    st.randoms(use_true_random=False),
)
def test_a_record_is_never_larger_than_said(data: list[dict[str, str]], noise: int, random: Any) -> None:
    random_text = base64.b64encode(random.randbytes(noise)).decode()
    objects = [{"kind": "X", "metadata": {"name": str(n)}, "data": item} for n, item in enumerate(data)]
    files = chart.files(
        "shop", "0.0.1", [*objects, {"kind": "Y", "x": random_text, "metadata": {}}], {"v": "1"}
    )
    real, said = recorded(files), release.size(files)
    assert real <= said <= real * 1.05 + 4096


def test_the_record_may_have_a_mebibyte() -> None:
    assert release.LIMIT == 1_048_576
