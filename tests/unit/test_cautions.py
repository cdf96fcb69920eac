"""What a deploy says before anything changes: one line each, with the command that mends it."""

from dataclasses import replace

import pytest
from scheduler_k3s.cautions import cautions
from unit.test_assemble import FACTS


def test_an_app_with_nothing_to_say_about() -> None:
    assert cautions(FACTS) == []


def test_no_registry_server() -> None:
    (text,) = cautions(replace(FACTS, names_registry=False, repository=""))
    assert "pulls dokku/shop from Docker Hub" in text
    assert "dokku registry:set --global server SERVER" in text


@pytest.mark.parametrize(("own", "scope"), [(False, "--global"), (True, "shop")])
def test_a_proxy_on_this_host(own: bool, scope: str) -> None:
    (text,) = cautions(replace(FACTS, host_proxy=True, host_proxy_own=own))
    assert text.startswith("The proxy type of shop is nginx")
    assert text.endswith(f"dokku proxy:set {scope} k3s")


def test_a_misspelt_key_of_app_json() -> None:
    (text,) = cautions(replace(FACTS, app_json={"formation": {"web": {"quantities": 2}}}))
    assert text.startswith("app.json: formation.web.quantities has no effect")


def test_docker_options_and_storage_without_effect() -> None:
    mount = {"entry": {"name": "vol", "scheduler": "k3s"}, "attachment": {"process_type": "web"}}
    known = replace(
        FACTS,
        docker_options={"web": ["--cap-add X"], "_default_": ["--cap-add Y", "--user 1"]},
        mounts=[mount],
    )
    told = cautions(known)
    assert [text.split(" of shop")[0] for text in told] == [
        "Docker option --user",
        "Docker option --cap-add",
        "Storage entry vol",
    ]


def test_stored_keys_that_are_dokku_s_own() -> None:
    known = replace(
        FACTS,
        reserved=[
            ("shop", "labels.", "web.pod", "app.kubernetes.io/name"),
            ("--global", "", "--global.job", "helm.sh/hook"),
        ],
    )
    told = cautions(known)
    assert told[0].startswith("The label app.kubernetes.io/name of pod has no effect: it is dokku's own")
    assert told[0].endswith(
        "dokku scheduler-k3s:labels:set shop app.kubernetes.io/name --resource-type pod --process-type web"
    )
    assert told[1].endswith("dokku scheduler-k3s:annotations:set --global helm.sh/hook --resource-type job")
