"""Docker options, storage attachments, registry and proxy, as dokku keeps and tells them."""

import json
from pathlib import Path

import pytest
from scheduler_k3s.dokku import facts
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


def prop(dokku: Host, plugin: str, scope: str, name: str, text: str) -> Path:
    path = dokku.lib / "config" / plugin / scope / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_docker_options_of_a_phase_by_process_type(dokku: Host) -> None:
    prop(dokku, "docker-options", "shop", "_default_.deploy", "--cap-add X\n--user 1\n")
    prop(dokku, "docker-options", "shop", "web.deploy", "--init\n")
    prop(dokku, "docker-options", "shop", "_default_.run", "--privileged\n")
    prop(dokku, "docker-options", "other", "_default_.deploy", "--init\n")
    assert facts.docker_options("shop", "deploy") == {
        "_default_": ["--cap-add X", "--user 1"],
        "web": ["--init"],
    }
    assert facts.docker_options("shop", "run") == {"_default_": ["--privileged"]}


def test_attachments_come_with_their_entries(dokku: Host) -> None:
    pairs = [{"entry": {"name": "vol"}, "attachment": {"container_path": "/data"}}]
    dokku.listener(
        "storage",
        "storage-app-mounts",
        f"#!/bin/sh\n[ \"$*\" = 'shop deploy' ] && echo '{json.dumps(pairs)}'\n",
    )
    dokku.listener("config", "config-export", "#!/bin/sh\necho '{}'\n")
    assert facts.gather("shop").mounts == pairs


def test_a_host_without_answers_has_no_attachments(dokku: Host) -> None:
    del dokku
    assert facts.parse_mounts("") == []
    assert facts.parse_mounts("null\n") == []


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"entry":{}}]', '[{"entry":{},"attachment":[]}]', "x"])
def test_an_answer_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(PluginError, match="dokku's answer to storage-app-mounts is not"):
        facts.parse_mounts(text)


@pytest.mark.parametrize(
    ("own", "common", "disabled", "builds"),
    [
        ("", "", "", True),
        ("nginx", "k3s", "", True),
        ("", "k3s", "", False),
        ("k3s", "nginx", "", False),
        ("", "", "true", False),
    ],
)
def test_when_a_site_is_built_on_this_host(
    dokku: Host, own: str, common: str, disabled: str, builds: bool
) -> None:
    (dokku.enabled / "nginx-vhosts").mkdir()
    for scope, name, text in (
        ("shop", "type", own),
        ("--global", "type", common),
        ("shop", "disabled", disabled),
    ):
        prop(dokku, "proxy", scope, name, text)
    assert facts.builds_site("shop") is builds


def test_a_host_without_nginx_builds_no_site(dokku: Host) -> None:
    del dokku
    assert facts.builds_site("shop") is False
