"""The directories that dokku names in the environment, owned by who runs the tests; no clock for drawn examples."""

import grp
import os
import pwd
from pathlib import Path

import pytest
from hypothesis import settings
from unit.dokku_host import Host

# a busy machine is no failure
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def dokku(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path)
    host.root.mkdir()
    host.enabled.mkdir(parents=True)
    for name in ("DOKKU_APP_NAME", "DOKKU_QUIET_OUTPUT", "DOKKU_TRACE", "PLUGIN_PATH", "PLUGIN_CORE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOKKU_ROOT", str(host.root))
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(host.lib))
    monkeypatch.setenv("PLUGIN_ENABLED_PATH", str(host.enabled))
    monkeypatch.setenv("DOKKU_SYSTEM_USER", pwd.getpwuid(os.geteuid()).pw_name)
    monkeypatch.setenv("DOKKU_SYSTEM_GROUP", grp.getgrgid(os.getegid()).gr_name)
    return host
