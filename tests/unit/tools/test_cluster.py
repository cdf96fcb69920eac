"""Talking to an API server: how it is found and trusted, what is tried again, and what an error says."""

import base64
import json
import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.cluster import ApiError, Cluster, Unreachable
from unit.api_server import Api, Pod, Query, serve
from unit.certificates import Authority

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def api() -> Iterator[Api]:
    with serve() as served:
        yield served


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "test-ca")


@pytest.fixture
def secure(authority: Authority) -> Iterator[Api]:
    certificate, key = authority.issue("server", "IP:127.0.0.1,DNS:api.example.com")
    with serve((certificate, key, authority.certificate)) as served:
        yield served


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def fail(api: Api, code: int, times: int, message: str = "no") -> list[int]:
    """Let so many requests fail."""
    left = [code] * times
    api.faults.append(lambda method, path, query: (left.pop(), message) if left else None)
    return left


def test_lists_come_page_by_page(api: Api, tmp_path: Path) -> None:
    api.add(Pod("a"), Pod("b"))
    found = Cluster.open(str(api.kubeconfig(tmp_path))).list(PODS, labels="app.kubernetes.io/name=web")
    assert [pod["metadata"]["name"] for pod in found] == ["a", "b"]
    assert api.requests == [("GET", PODS, {"limit": "500", "labelSelector": "app.kubernetes.io/name=web"})]


def test_a_path_of_the_server_is_put_before_every_request(api: Api, tmp_path: Path) -> None:
    api.objects["/k8s/clusters/c-1/apis/x"] = [{"metadata": {"name": "here"}}]
    server = {"server": f"http://127.0.0.1:{api.port}/k8s/clusters/c-1/"}
    found = Cluster.open(str(api.kubeconfig(tmp_path, cluster=server))).list("/apis/x")
    assert found == [{"metadata": {"name": "here"}}]


@pytest.mark.parametrize("inline", [True, False])
def test_certificates_are_taken_from_data_and_from_files(
    secure: Api, authority: Authority, tmp_path: Path, inline: bool
) -> None:
    certificate, key = authority.issue("client", "DNS:client")
    if inline:
        user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
        cluster = {"certificate-authority-data": encoded(authority.certificate)}
    else:
        (tmp_path / "ca.crt").write_bytes(authority.certificate.read_bytes())
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        cluster = {"certificate-authority": "ca.crt"}
    opened = Cluster.open(str(secure.kubeconfig(tmp_path, user, cluster)))
    assert opened.get("/version") == {}


def test_a_kubeconfig_in_yaml_is_the_same(secure: Api, authority: Authority, tmp_path: Path) -> None:
    path = secure.kubeconfig(tmp_path, cluster={"certificate-authority-data": encoded(authority.certificate)})
    path.write_text(yaml.safe_dump(json.loads(path.read_text())))
    assert Cluster.open(str(path)).get("/version") == {}


def test_an_unknown_authority_is_not_trusted(secure: Api, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other-ca")
    cluster = {"certificate-authority-data": encoded(other.certificate)}
    with pytest.raises(Unreachable, match=r"local issuer certificate|self-signed|signature"):
        Cluster.open(str(secure.kubeconfig(tmp_path, cluster=cluster)), attempts=1).get("/version")
    assert secure.requests == []
    insecure = Cluster.open(str(secure.kubeconfig(tmp_path, cluster={"insecure-skip-tls-verify": True})))
    assert insecure.get("/version") == {}


def test_the_servers_name_is_checked(secure: Api, authority: Authority, tmp_path: Path) -> None:
    trust = {"certificate-authority-data": encoded(authority.certificate)}
    named = {**trust, "tls-server-name": "api.example.com"}
    assert Cluster.open(str(secure.kubeconfig(tmp_path, cluster=named))).get("/version") == {}
    wrong = {**trust, "tls-server-name": "other.example.com"}
    with pytest.raises(Unreachable, match="Hostname mismatch"):
        Cluster.open(str(secure.kubeconfig(tmp_path, cluster=wrong)), attempts=1).get("/version")


def test_certificates_in_files_may_have_comments_in_any_language(
    secure: Api, authority: Authority, tmp_path: Path
) -> None:
    own = tmp_path / "own.crt"
    own.write_bytes("# Schlüssel für x\n".encode("latin-1") + authority.certificate.read_bytes())
    path = secure.kubeconfig(tmp_path, cluster={"certificate-authority": "own.crt"})
    assert Cluster.open(str(path)).get("/version") == {}
    own.write_bytes(b"\x30\x82\xff\x00")
    with pytest.raises(PluginError, match="holds a certificate that cannot be used"):
        Cluster.open(str(path)).get("/version")


@pytest.mark.parametrize(
    "content", ["garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_broken_certificate_is_one_message_without_its_content(
    secure: Api, tmp_path: Path, content: str
) -> None:
    data = base64.b64encode(content.encode()).decode()
    path = secure.kubeconfig(tmp_path, cluster={"certificate-authority-data": data})
    with pytest.raises(PluginError, match="holds a certificate that cannot be used") as caught:
        Cluster.open(str(path)).get("/version")
    assert content not in caught.value.message


@pytest.mark.parametrize("source", ["token", "tokenFile"])
def test_a_token_is_sent_and_never_shown(
    api: Api, tmp_path: Path, source: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOKKU_TRACE", "1")
    (tmp_path / "token").write_text("s3cr3t\n")
    user = {source: "s3cr3t" if source == "token" else "token"}
    fail(api, 401, 1, "Unauthorized")
    with pytest.raises(ApiError, match=r"may have expired.*kubeconfig-path PATH") as caught:
        Cluster.open(str(api.kubeconfig(tmp_path, user))).get("/version")
    assert api.tokens == ["Bearer s3cr3t"]
    assert "s3cr3t" not in caught.value.message + "".join(capfd.readouterr())


@pytest.mark.parametrize("code", [429, 500, 503, 504])
def test_reads_are_tried_again_and_writes_are_not(api: Api, tmp_path: Path, code: int) -> None:
    cluster = Cluster.open(str(api.kubeconfig(tmp_path)))
    left = fail(api, code, 2)
    assert cluster.get("/version") == {}
    assert left == []
    fail(api, code, 2)
    with pytest.raises(ApiError) as caught:
        cluster.merge(f"{PODS}/x", {"a": 1})
    assert caught.value.code == code
    assert len(api.bodies) == 1


def test_reads_are_not_tried_for_ever(api: Api, tmp_path: Path) -> None:
    fail(api, 503, 100, "etcd is away")
    with pytest.raises(ApiError, match=r"refused to get /version: etcd is away \(503\)"):
        Cluster.open(str(api.kubeconfig(tmp_path)), attempts=2).get("/version")
    assert len(api.requests) == 2


def test_a_server_that_does_not_answer_is_given_up(api: Api, tmp_path: Path) -> None:
    fail(api, 0, 1)
    with pytest.raises(Unreachable, match="Unable to reach the Kubernetes API"):
        Cluster.open(str(api.kubeconfig(tmp_path)), timeout=0.2, attempts=1).get("/version")


def test_a_refused_connection_names_server_and_kubeconfig(api: Api, tmp_path: Path) -> None:
    path = api.kubeconfig(tmp_path, cluster={"server": "http://127.0.0.1:1"})
    with pytest.raises(Unreachable) as caught:
        Cluster.open(str(path), attempts=1).get("/version")
    assert caught.value.message == (
        f"Unable to reach the Kubernetes API at http://127.0.0.1:1 (kubeconfig {path}): Connection refused"
    )


@pytest.mark.parametrize("server", ["https://", "https://host:port", "https://host:99999", "host"])
def test_a_server_that_is_no_address_is_refused(api: Api, tmp_path: Path, server: str) -> None:
    path = api.kubeconfig(tmp_path, cluster={"server": server})
    with pytest.raises(PluginError, match="Unable to"):
        Cluster.open(str(path), attempts=1).get("/version")


def broken(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**config, **changes}


@pytest.mark.parametrize(
    ("changes", "context", "message"),
    [
        ({"current-context": ""}, "", "it has no current-context"),
        ({}, "other", "it has no context 'other'. Its contexts: test"),
        ({"contexts": None}, "", "it has no context 'test'. Its contexts: none"),
        ({"clusters": []}, "", "names the cluster 'c', which has no server"),
        ({"users": [{"name": "u", "user": {"tokenFile": "gone"}}]}, "", "gone, which cannot be read"),
        ({"users": [{"name": "u", "user": {"client-certificate-data": "%"}}]}, "", "is not base64"),
    ],
)
def test_each_way_of_being_unusable_has_its_message(
    api: Api, tmp_path: Path, changes: dict[str, Any], context: str, message: str
) -> None:
    path = api.kubeconfig(tmp_path)
    path.write_text(json.dumps(broken(json.loads(path.read_text()), **changes)))
    with pytest.raises(PluginError, match="Unable to create kubernetes client") as caught:
        Cluster.open(str(path), context)
    assert message in caught.value.message


def test_files_that_are_no_kubeconfig_have_their_messages(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "list").write_text("- a\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    messages = {
        "none": "does not exist",
        "": "is a directory",
        "empty": "is empty",
        "list": "no mapping",
        "binary": "utf-8",
    }
    for name, message in messages.items():
        with pytest.raises(PluginError, match=message):
            Cluster.open(f"{tmp_path}/{name}")


def test_who_may_not_read_the_kubeconfig_is_told_and_how_to_allow_it(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("x")
    path.chmod(0o600)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(PluginError) as caught:
            Cluster.open(str(path))
    finally:
        os.seteuid(0)
    assert "user nobody cannot read it" in caught.value.message
    assert caught.value.message.endswith(f"chgrp nogroup {path} && chmod g+r {path}")


def test_a_stream_outlives_the_timeout_of_requests(api: Api, tmp_path: Path) -> None:
    pod = Pod("a", b"one\n", running=True)
    api.add(pod)
    cluster = Cluster.open(str(api.kubeconfig(tmp_path)), timeout=0.2)
    query: Query = {"follow": "true"}
    with cluster.stream(f"{PODS}/a/log", None, **query) as answer:
        first = answer.read1(100)
        with (
            pytest.raises(OSError, match="timed out"),
            cluster.stream(f"{PODS}/a/log", 0.3, **query) as silent,
        ):
            while silent.read1(100):
                pass
        api.remove(pod)
        assert first
        assert first + answer.read() == b"one\n"


PROXY = f"""#!{sys.executable} -IS
import http.server, json, os, socketserver, sys

class Handler(http.server.BaseHTTPRequestHandler):
    client_address = ("", 0)

    def do_GET(self):
        text = json.dumps({{"session": os.getsid(0), "words": sys.argv[1:3]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        pass

path = next(word for word in sys.argv if word.startswith("--unix-socket=")).partition("=")[2]
with socketserver.ThreadingUnixStreamServer(path, Handler) as server:
    print("Starting to serve", flush=True)
    server.serve_forever()
"""


def test_a_login_by_another_program_is_left_to_a_proxy_that_outlives_interrupts(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kubectl").write_text(PROXY)
    (tmp_path / "bin/kubectl").chmod(0o755)
    monkeypatch.setenv("DOKKU_SCHEDULER_K3S_TOOLS", str(tmp_path))
    path = api.kubeconfig(tmp_path, user={"exec": {"command": "login"}})
    found = Cluster.open(str(path)).get("/version")
    assert found["words"] == [f"--kubeconfig={path}", "--context=test"]
    assert found["session"] != os.getsid(0)
