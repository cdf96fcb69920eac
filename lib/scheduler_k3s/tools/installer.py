"""Fetches k3s' installer, and from a mirror k3s itself. Nothing that could not be checked gets out of here.

The installer comes from `k3s-installer-url`. Its sha256 is published beside it (for the default, in k3s' own
repository); where a mirror has none, the connection is all the proof there is, and that is said. An http URL counts
only when the administrator has set it. With `k3s-release-url` the program comes from there, checked against the
release's list of digests; without, the installer fetches and checks it.
"""

import os
from typing import NamedTuple

from scheduler_k3s import log, settings
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools import download

SCRIPT, BINARY = "k3s-installer.sh", "k3s"
_DEFAULT = settings.SETTINGS["k3s-installer-url"].default
_DEFAULT_DIGEST = "https://raw.githubusercontent.com/k3s-io/k3s/master/install.sh.sha256sum"
_BUILDS = {"x86_64": ("amd64", "k3s"), "aarch64": ("arm64", "k3s-arm64"), "armv7l": ("arm", "k3s-armhf")}
_FAILURE = "Unable to download k3s installer"


class Fetched(NamedTuple):
    """Paths of files. `binary` is empty when the installer is to fetch k3s; `version` for its stable channel."""

    script: str
    binary: str
    version: str


def fetch(directory: str, version: str = "", machine: str = "") -> Fetched:
    """Fetch into `directory`, which only its owner may enter. `version` defaults to `k3s-version`.

    `machine` is `uname -m` where k3s is to run, here by default. Errors: PluginError.
    """
    version = version or settings.checked(settings.GLOBAL, "k3s-version")
    script = f"{directory}/{SCRIPT}"
    _fetch_script(settings.value(settings.GLOBAL, "k3s-installer-url"), directory, script)
    base = settings.checked(settings.GLOBAL, "k3s-release-url").rstrip("/")
    if not base:
        return Fetched(script, "", version)
    if not version:
        raise PluginError(
            "k3s-release-url needs k3s-version. Set it: dokku scheduler-k3s:set --global k3s-version v1.34.4+k3s1"
        )
    binary = f"{directory}/{BINARY}"
    _fetch_binary(f"{base}/{version}", machine or os.uname().machine, directory, binary)
    return Fetched(script, binary, version)


def environment(fetched: Fetched) -> dict[str, str]:
    """What the installer has to know. With a binary of ours, that is to be at /usr/local/bin/k3s by then."""
    if fetched.binary:
        return {"INSTALL_K3S_SKIP_DOWNLOAD": "true"}
    return {"INSTALL_K3S_VERSION": fetched.version} if fetched.version else {}


def _fetch_script(url: str, directory: str, place: str) -> None:
    try:
        with download.received(url, directory) as (path, digest):
            _check_script(url, path)
            _check_digest(url, directory, digest)
            os.chmod(path, 0o700)
            os.replace(path, place)
    except download.Refused as error:
        if error.message.startswith(f"{url} "):
            raise PluginError(f"Invalid status code for k3s installer script: {error.code} ({url})") from None
        raise PluginError(f"{_FAILURE}: {error.message}") from None
    except PluginError as error:
        text = error.message
        raise PluginError(text if text.startswith("Invalid") else f"{_FAILURE}: {text}") from None


def _check_script(url: str, path: str) -> None:
    with open(path, "rb") as file:
        start = file.read(2)
    if not start:
        raise PluginError(f"Invalid k3s installer filesize: {url} is empty")
    if start != b"#!":
        raise PluginError(f"{url} is not a script. It was not run")


def _check_digest(url: str, directory: str, found: str) -> None:
    """A list that is not there is no error; one that names another digest is."""
    lists = _DEFAULT_DIGEST if url == _DEFAULT else f"{url}.sha256sum"
    name = lists.rsplit("/", 1)[1].removesuffix(".sha256sum")
    try:
        expected = _digest_of(name, lists, directory)
    except download.Refused as error:
        if error.code != 404:
            raise
        log.detail_quiet(f"No digest at {lists}: the installer is taken as it came")
        if url.startswith("http:"):
            log.warn(f"{url} is not encrypted: whoever is on the way there decides what root runs")
        return
    if found != expected:
        raise PluginError(
            f"{url} has the sha256 digest {found}, not {expected} as {lists} says. It was not run"
        )


def _fetch_binary(base: str, machine: str, directory: str, place: str) -> None:
    if machine not in _BUILDS:
        raise PluginError(f"No k3s for a {machine} machine: only {', '.join(_BUILDS)} are supported")
    arch, name = _BUILDS[machine]
    expected = _digest_of(name, f"{base}/sha256sum-{arch}.txt", directory)
    log.detail_quiet(f"Downloading {base}/{name}")
    with download.verified(f"{base}/{name}", expected, directory) as path:
        with open(path, "rb") as file:
            if file.read(2) not in (b"\x7fE", b"#!"):
                raise PluginError(f"{base}/{name} is not a program. It was not installed")
        os.chmod(path, 0o755)
        os.replace(path, place)


def _digest_of(name: str, url: str, directory: str) -> str:
    """The digest that the list at `url` has for `name`, in lines as `sha256sum` prints them."""
    with (
        download.received(url, directory) as (path, _),
        open(path, encoding="utf-8", errors="replace") as file,
    ):
        for line in file:
            digest, _, rest = line.strip().partition(" ")
            is_digest = len(digest) == 64 and not set(digest.lower()) - set("0123456789abcdef")
            if is_digest and rest.strip().lstrip("*").removeprefix("./") in (name, ""):
                return digest.lower()
    raise PluginError(f"{url} has no sha256 digest of {name}")
