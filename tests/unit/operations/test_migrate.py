"""Properties from before dokku 0.38.15."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations.migrate import migrate
from unit.dokku_host import Host

words = st.text(alphabet=st.characters(exclude_categories=["C", "Z"], exclude_characters=":"), min_size=1)


def contents(dokku: Host) -> dict[str, str]:
    return {
        str(path.relative_to(dokku.config)): path.read_text()
        for path in dokku.config.rglob("*")
        if path.is_file()
    }


def test_chart_files_become_one_map_and_win(dokku: Host) -> None:
    dokku.store("--global", "chart.traefik.a.b", "old file")
    dokku.store("--global", "chart.traefik.c", "1\n2")
    dokku.store("--global", "chart.ingress-nginx.x", "y")
    dokku.store("--global", "chart.vector.gone", "")
    dokku.store("--global", "chart-overrides.traefik", '{"a.b":"map","d":"kept"}')
    migrate()
    assert {name: json.loads(text) for name, text in contents(dokku).items()} == {
        "--global/chart-overrides.traefik": {"a.b": "old file", "c": "1\n2", "d": "kept"},
        "--global/chart-overrides.ingress-nginx": {"x": "y"},
    }


def test_lines_become_maps_and_maps_are_left_alone(dokku: Host) -> None:
    dokku.store("web", "web.deployment", "a.b/c: d: e\n\nf: \n")
    dokku.store("web", "labels.--global.service", "x: y")
    dokku.store("--global", "--global.pod", '{ "as" : "it is" }')
    dokku.store("web", "cron.pod", "")
    migrate()
    assert properties.read_map("web", "web.deployment") == {"a.b/c": "d: e", "f": ""}
    assert properties.read_map("web", "labels.--global.service") == {"x": "y"}
    assert contents(dokku)["--global/--global.pod"] == '{ "as" : "it is" }'
    assert contents(dokku)["web/cron.pod"] == ""


def test_other_properties_are_not_touched(dokku: Host) -> None:
    others = {
        "namespace": "a: b",
        "trigger-auth.cron.secret": "a: b",
        "node-profile-x.pod": "a: b",
        "node-sysctls.pod": "a: b",
        "chart.pod": "a: b",
        "chart-overrides.secret": "a: b",
        "web.unknown": "a: b",
        ".pod": "a: b",
    }
    for name, text in others.items():
        dokku.store("web", name, text)
    migrate()
    assert contents(dokku) == {f"web/{name}": text for name, text in others.items()}


def test_a_broken_file_is_named_after_all_others_were_converted(dokku: Host) -> None:
    dokku.store("api", "web.pod", "no separator")
    dokku.store("web", "web.pod", "a: b")
    with pytest.raises(PluginError, match=r"api/web\.pod"):
        migrate()
    assert contents(dokku) == {"api/web.pod": "no separator", "web/web.pod": '{"a":"b"}'}


def test_a_new_host_has_nothing_to_convert(dokku: Host) -> None:
    migrate()
    assert not dokku.config.exists()


@given(
    annotations=st.dictionaries(words, words, max_size=4),
    charts=st.dictionaries(
        words.filter(lambda text: "/" not in text and len(text.encode()) < 200), words, max_size=4
    ),
)
@profile(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_converting_again_changes_nothing(
    dokku: Host, annotations: dict[str, str], charts: dict[str, str]
) -> None:
    dokku.store("--global", "chart-overrides.traefik", "{}")
    dokku.store("web", "web.pod", "\n".join(f"{key}: {value}" for key, value in annotations.items()))
    for key, value in charts.items():
        dokku.store("--global", f"chart.traefik.{key}", value)
    migrate()
    assert properties.read_map("web", "web.pod") == annotations
    assert properties.read_map("--global", "chart-overrides.traefik") == charts
    once = contents(dokku)
    migrate()
    assert contents(dokku) == once
