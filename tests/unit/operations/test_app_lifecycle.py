"""What stays on the host while an app comes, is copied, renamed and goes."""

import pytest
from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import app_lifecycle
from unit.dokku_host import Host


def test_a_new_app_has_a_data_directory(dokku: Host) -> None:
    for _ in range(2):
        app_lifecycle.created("web")
        assert (dokku.data / "web").stat().st_mode & 0o777 == 0o755


def test_a_deleted_app_leaves_nothing_and_can_be_deleted_again(dokku: Host) -> None:
    app_lifecycle.created("web")
    (dokku.data / "web/kustomization").mkdir()
    (dokku.data / "web/kustomization/kustomization.yaml").touch()
    dokku.store("web", "namespace", "x")
    kept = dokku.store("web-2", "namespace", "y")
    for _ in range(2):
        app_lifecycle.deleted("web")
        assert not (dokku.data / "web").exists()
        assert not (dokku.config / "web").exists()
    assert kept.read_text() == "y"


@pytest.mark.parametrize("name", ["", "..", "../../etc", "-x", "--global"])
def test_what_is_no_app_name_is_never_a_path(dokku: Host, name: str) -> None:
    dokku.store("--global", "namespace", "x")
    for action in (app_lifecycle.created, app_lifecycle.deleted):
        with pytest.raises(PluginError):
            action(name)
    assert (dokku.config / "--global/namespace").exists()


def test_a_clone_has_the_properties_but_not_the_certificate(dokku: Host) -> None:
    dokku.store("old", "namespace", "x")
    dokku.store("old", "web.pod", '{"a":"b"}')
    dokku.store("old", "tls-cert-imported", "true")
    app_lifecycle.cloned("old", "new")
    assert properties.names("new") == ["namespace", "web.pod"]
    assert properties.read("old", "tls-cert-imported") == "true"


def test_a_renamed_app_has_the_properties_and_the_old_one_keeps_them_until_it_is_deleted(dokku: Host) -> None:
    dokku.store("old", "namespace", "x")
    app_lifecycle.renamed("old", "new")
    assert properties.read("new", "namespace") == properties.read("old", "namespace") == "x"
    app_lifecycle.deleted("old")
    assert properties.read("new", "namespace") == "x"
