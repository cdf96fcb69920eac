"""The computed values, and the rule at use for what an older installation stored."""

import pytest
from scheduler_k3s import settings
from scheduler_k3s.errors import PluginError
from unit.dokku_host import Host


def test_the_app_wins_over_the_host_over_the_default(dokku: Host) -> None:
    assert settings.value("web", "namespace") == "default"
    dokku.store("--global", "namespace", "host")
    assert settings.value("web", "namespace") == "host"
    dokku.store("web", "namespace", "own")
    assert settings.value("web", "namespace") == "own"
    assert settings.value("other", "namespace") == "host"


@pytest.mark.parametrize("scope", ["", "--global"])
def test_the_host_has_computed_values_too(dokku: Host, scope: str) -> None:
    assert settings.value(scope, "deploy-timeout") == "300s"
    dokku.store("--global", "deploy-timeout", "60")
    assert settings.value(scope, "deploy-timeout") == "60"


def test_an_app_s_copy_of_a_global_property_is_never_read(dokku: Host) -> None:
    dokku.store("web", "ingress-class", "traefik")
    assert settings.value("web", "ingress-class") == "nginx"


def test_an_empty_file_is_as_good_as_none(dokku: Host) -> None:
    dokku.store("web", "namespace", "")
    assert settings.value("web", "namespace") == "default"


def test_a_stored_value_that_breaks_the_rule_is_read_but_refused_at_use(dokku: Host) -> None:
    dokku.store("web", "deploy-timeout", "soon")
    assert settings.value("web", "deploy-timeout") == "soon"
    with pytest.raises(PluginError, match=r"^Invalid deploy-timeout: soon, .*for example"):
        settings.checked("web", "deploy-timeout")


def test_checked_values_come_as_they_would_be_stored(dokku: Host) -> None:
    dokku.store("web", "cert-issuer-kind", "issuer")
    assert settings.checked("web", "cert-issuer-kind") == "Issuer"
    assert settings.checked("web", "shm-size") == ""


def test_every_default_keeps_its_own_rule() -> None:
    for name, setting in settings.SETTINGS.items():
        if setting.default:
            assert settings.normalise(name, setting.default) == setting.default


def test_the_reference_names_every_property_with_scope_and_default() -> None:
    names = " ".join(settings.reference(["web"])[2:]).split()
    assert sorted(names) == sorted(settings.SETTINGS)
    for name, setting in settings.SETTINGS.items():
        _, title, text = settings.reference(["web", name, "x"])
        assert title.startswith(f"{name}, ")
        assert ("an app" in title) == setting.for_apps
        assert setting.summary in text
        assert (f"(default {setting.default})" in text) == bool(setting.default)
        assert max(map(len, (title, text))) <= 80
