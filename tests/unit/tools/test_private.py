"""Where the plugin's own tools are, and what is said when they are not."""

import sys
from pathlib import Path

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import private


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_the_place_of_the_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOKKU_SCHEDULER_K3S_TOOLS", raising=False)
    assert private.location("helm") == "/opt/dokku-scheduler-k3s/bin/helm"
    assert private.packages() == f"/opt/dokku-scheduler-k3s/python/{sys.implementation.cache_tag}"


def test_a_program_is_found_by_absolute_path(prefix: Path) -> None:
    (prefix / "bin").mkdir()
    (prefix / "bin/helm").touch(mode=0o755)
    assert private.path("helm") == f"{prefix}/bin/helm"


def test_a_missing_program_names_the_command_that_installs_it(prefix: Path) -> None:
    with pytest.raises(PluginError) as raised:
        private.path("kubectl")
    assert raised.value.message == (
        f"{prefix}/bin/kubectl is missing. Install it, as root, with: dokku plugin:install-dependencies"
    )


def test_packages_come_last_on_the_path_and_once(prefix: Path) -> None:
    packages = prefix / "python" / str(sys.implementation.cache_tag)
    packages.mkdir(parents=True)
    private.load_packages()
    private.load_packages()
    assert sys.path[-1] == str(packages)
    assert sys.path.count(str(packages)) == 1


def test_missing_packages_name_the_command_too(prefix: Path) -> None:
    with pytest.raises(PluginError, match="dokku plugin:install-dependencies"):
        private.load_packages()
