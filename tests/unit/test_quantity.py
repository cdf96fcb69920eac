"""Amounts as dokku's users write them, and as Kubernetes reads them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduler_k3s import quantity
from scheduler_k3s.errors import PluginError

MIB = 1024**2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1.5", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("-1", -1),
        ("+1k", 1000),
        ("1n", Fraction(1, 10**9)),
        ("1u", Fraction(1, 10**6)),
        ("250m", Fraction(1, 4)),
        ("1M", 10**6),
        ("1G", 10**9),
        ("1T", 10**12),
        ("1P", 10**15),
        ("1E", 10**18),
        ("1Ki", 1024),
        ("0.5Mi", 524288),
        ("1Gi", 1073741824),
        ("1Ti", 1099511627776),
        ("1Pi", 1125899906842624),
        ("1Ei", 1152921504606846976),
        ("12e3", 12000),
        ("12E+3", 12000),
        ("12e-1", Fraction(6, 5)),
        ("0.1", Fraction(1, 10)),
    ],
)
def test_parse(text: str, value: Fraction) -> None:
    assert quantity.parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 k",
        "abc",
        "1.2.3",
        "1ki",
        "1K",
        "1KB",
        "1e",
        "1e3Mi",
        "1Mi2",
        "0x10",
        "٣",
        "1e1000000",
        ".",
        "--1",
        "1_0",
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(PluginError, match="512Mi"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512", 512 * MIB),
        ("1.5", 3 * MIB // 2),
        ("1048576b", MIB),
        ("1024k", MIB),
        ("1024kb", MIB),
        ("512m", 512 * MIB),
        ("512mb", 512 * MIB),
        ("1.5g", 1536 * MIB),
        ("2gb", 2048 * MIB),
        ("1024Ki", MIB),
        ("128Mi", 128 * MIB),
        ("1Gi", 1024 * MIB),
        ("1K", 1000),
        ("256M", 256 * 10**6),
        ("2G", 2 * 10**9),
        ("1T", 10**12),
        ("129e6", 129 * 10**6),
        (" 64m ", 64 * MIB),
    ],
)
def test_memory_means_what_docker_and_kubernetes_mean_by_it(text: str, value: int) -> None:
    assert quantity.parse(quantity.memory(text)) == value


@pytest.mark.parametrize(
    "text", ["abc", "-1", "-1g", "", "1t", "1KB", "1MB", "1GiB", "100n", "1.5b", "5 g", "1,5g", "m"]
)
def test_memory_refuses_with_a_form_that_works(text: str) -> None:
    with pytest.raises(PluginError, match="512Mi"):
        quantity.memory(text)


@pytest.mark.parametrize("text", ["1", "0.5", "500m", "1.5", "2k"])
def test_cpu_is_a_kubernetes_quantity(text: str) -> None:
    assert quantity.cpu(text) == text


@pytest.mark.parametrize("text", ["abc", "-1", "", "1 core", "50%", "500Mb", "1cpu"])
def test_cpu_refuses_with_a_form_that_works(text: str) -> None:
    with pytest.raises(PluginError, match="500m"):
        quantity.cpu(text)


DEFAULTS = {"cpu": "100m", "memory": "128Mi"}


@pytest.mark.parametrize(
    ("limits", "reserves", "resources"),
    [
        ({}, {}, {"requests": DEFAULTS}),
        ({"cpu": "", "memory": "0"}, {"cpu": "0", "memory": ""}, {"requests": DEFAULTS}),
        ({}, {"cpu": "250m", "memory": "256m"}, {"requests": {"cpu": "250m", "memory": "256Mi"}}),
        ({}, {"cpu": "0m", "memory": "0Mi"}, {}),
        ({}, {"memory": "0m"}, {"requests": {"cpu": "100m"}}),
        ({"cpu": "2", "memory": "1g"}, {}, {"requests": DEFAULTS, "limits": {"cpu": "2", "memory": "1Gi"}}),
        (
            {"cpu": "50m", "memory": "64"},
            {},
            {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}},
        ),
        ({"memory": "64Mi"}, {"memory": "0Mi"}, {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}}),
        ({"memory": "0Mi", "cpu": "0m"}, {}, {"requests": DEFAULTS}),
        (
            {"memory": "1Gi"},
            {"memory": "1024"},
            {"requests": {"cpu": "100m", "memory": "1024Mi"}, "limits": {"memory": "1Gi"}},
        ),
        ({"nvidia-gpu": "2"}, {}, {"requests": DEFAULTS, "limits": {"nvidia.com/gpu": "2"}}),
        ({"nvidia-gpu": "0"}, {"nvidia-gpu": "1"}, {"requests": DEFAULTS}),
    ],
)
def test_requests_and_limits(
    limits: dict[str, str], reserves: dict[str, str], resources: dict[str, dict[str, str]]
) -> None:
    assert quantity.requests_and_limits(limits, reserves) == resources


def test_a_reservation_above_its_limit_names_both() -> None:
    with pytest.raises(PluginError) as caught:
        quantity.requests_and_limits({"memory": "512m"}, {"memory": "1g"})
    assert "memory reservation 1Gi" in caught.value.message
    assert "memory limit 512Mi" in caught.value.message


@pytest.mark.parametrize(
    ("limits", "reserves", "beginning"),
    [
        ({"memory": "abc"}, {}, 'memory limit "abc"'),
        ({}, {"memory": "-1"}, 'memory reservation "-1"'),
        ({"cpu": "lots"}, {}, 'cpu limit "lots"'),
        ({}, {"cpu": "1 2"}, 'cpu reservation "1 2"'),
        ({"nvidia-gpu": "0.5"}, {}, 'nvidia-gpu limit "0.5"'),
        ({"nvidia-gpu": "-1"}, {}, 'nvidia-gpu limit "-1"'),
    ],
)
def test_errors_name_the_property(limits: dict[str, str], reserves: dict[str, str], beginning: str) -> None:
    with pytest.raises(PluginError) as caught:
        quantity.requests_and_limits(limits, reserves)
    assert caught.value.message.startswith(beginning)


AMOUNTS = st.builds("{}{}".format, st.integers(0, 4096), st.sampled_from(["", "m", "k", "M", "Mi", "g"]))


@given(st.dictionaries(st.sampled_from(["cpu", "memory"]), st.text(max_size=6) | AMOUNTS))
def test_no_default_request_is_above_its_limit(limits: dict[str, str]) -> None:
    try:
        resources = quantity.requests_and_limits(limits, {})
    except PluginError:
        return
    for name, limit in resources.get("limits", {}).items():
        assert 0 < quantity.parse(resources["requests"][name]) <= quantity.parse(limit)


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    for spelled in (quantity.cpu, quantity.memory):
        try:
            assert quantity.parse(spelled(text)) >= 0
        except PluginError:
            pass
