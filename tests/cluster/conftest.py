"""The cluster that these tests talk to: the rig's node, started if need be, or the one in RIG_KUBECONFIG."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import rig.host
from rig import images, target
from rig.cluster import Cluster
from rig.host import Host
from rig.node import lifecycle
from rig.sample_objects import deployment, service


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What stops the node runs only when asked for by its marker, and last."""
    asked = "slow_node" in str(config.getoption("markexpr"))
    for item in items:
        if "slow_node" in item.keywords and not asked:
            item.add_marker(pytest.mark.skip(reason="stops the node: ask for it with -m slow_node"))
    items.sort(key=lambda item: "slow_node" in item.keywords)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    if not target.IS_EXISTING:
        lifecycle.start()
    return Cluster()


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        yield name


@pytest.fixture(scope="session")
def sample_image(cluster: Cluster) -> str:
    """The sample app in the registry that the cluster pulls from."""
    return images.sample()


@pytest.fixture
def web(cluster: Cluster, namespace: str, sample_image: str) -> str:
    """A namespace in which the sample app runs behind a service."""
    cluster.apply(namespace, deployment(sample_image), service())
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=180s", f"--namespace={namespace}")
    return namespace


@pytest.fixture(scope="session")
def host(cluster: Cluster) -> Iterator[Host]:
    """A dokku host with the plugin, set up to deploy to the cluster."""
    with rig.host.host() as laid_out:
        laid_out.use(target.KUBECONFIG)
        laid_out.dokku("ps:set", "--global", "stop-timeout-seconds", "4")
        yield laid_out


@pytest.fixture
def handed_over(host: Host) -> Iterator[Path]:
    """A directory whose files user dokku can read; pytest's own are root's."""
    with tempfile.TemporaryDirectory(dir=host.prefix) as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)
