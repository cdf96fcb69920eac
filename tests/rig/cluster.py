"""The tests' hold on the cluster: kubectl, the kubernetes client as independent observer, requests to domains."""

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import client, config

from rig import fetch, target
from rig.node import versions

_SECONDS = 120
T = TypeVar("T")


class Cluster:
    """`api` is a kubernetes ApiClient with administrator's rights."""

    def __init__(self) -> None:
        self.kubeconfig: Path = target.KUBECONFIG
        self.api: client.ApiClient = config.new_client_from_config(str(self.kubeconfig))
        self.core = client.CoreV1Api(self.api)

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Runs kubectl. Raises AssertionError with its words when it fails, unless told not to `check`."""
        argv = [versions.program("kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        result = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, timeout=_SECONDS
        )
        if check and result.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {result.stderr}")
        return result

    def apply(self, namespace: str, *objects: Mapping[str, Any]) -> None:
        document = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", f"--namespace={namespace}", "--filename=-", stdin=json.dumps(document))

    @contextmanager
    def namespace(self, prefix: str = "test") -> Iterator[str]:
        """A namespace of a fresh name, deleted afterwards (its pods are given no time to end)."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        try:
            yield name
        finally:
            self.kubectl(
                "delete", "pods", "--all", "--force", "--grace-period=0", f"--namespace={name}", check=False
            )
            self.kubectl("delete", "namespace", name, "--wait=false", check=False)

    @staticmethod
    def fetch(url: str, **options: Any) -> fetch.Answer:
        """Asks the cluster's ingress for a URL; see `rig.fetch.fetch`."""
        return fetch.fetch(url, **options)


def eventually(question: Callable[[], T], seconds: float = 90) -> T:
    """Asks again until the answer is true and no AssertionError or OSError comes; the last of those is raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = question()
            if answer or time.monotonic() > deadline:
                assert answer, f"still {answer!r} after {seconds} s"
                return answer
        except (AssertionError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
