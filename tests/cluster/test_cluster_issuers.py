"""The letsencrypt properties of the host, in the cluster at once."""

from collections.abc import Iterator

import pytest
from rig.cluster import Cluster
from rig.host import Host

pytestmark = pytest.mark.cluster
PROPERTIES = ("letsencrypt-email-prod", "letsencrypt-email-stag", "letsencrypt-server")


@pytest.fixture(autouse=True)
def no_issuers(host: Host) -> Iterator[None]:
    yield
    for name in PROPERTIES:
        host.dokku("scheduler-k3s:set", "--global", name)


def issuers(cluster: Cluster) -> dict[str, str]:
    """Name and address of each ClusterIssuer of ours."""
    template = '{range .items[*]}{.metadata.name}={.spec.acme.email}{"\\n"}{end}'
    found = cluster.kubectl("get", "clusterissuers", f"--output=jsonpath={template}").stdout.splitlines()
    return dict(line.split("=", 1) for line in found if line.startswith("letsencrypt-"))


def test_addresses_make_and_remove_issuers(host: Host, cluster: Cluster) -> None:
    done = host.dokku("scheduler-k3s:set", "--global", "letsencrypt-email-prod", "prod@example.com")
    assert done.stdout == "=====> Setting letsencrypt-email-prod to prod@example.com\n"
    assert issuers(cluster) == {"letsencrypt-prod": "prod@example.com"}
    host.dokku("scheduler-k3s:set", "--global", "letsencrypt-email-stag", "stag@example.com")
    assert issuers(cluster) == {
        "letsencrypt-prod": "prod@example.com",
        "letsencrypt-stag": "stag@example.com",
    }
    host.dokku("scheduler-k3s:set", "--global", "letsencrypt-email-prod")
    assert issuers(cluster) == {"letsencrypt-stag": "stag@example.com"}
    host.dokku("scheduler-k3s:set", "--global", "letsencrypt-server", "stag")
    assert issuers(cluster) == {"letsencrypt-stag": "stag@example.com"}
    host.dokku("scheduler-k3s:set", "--global", "letsencrypt-email-stag")
    assert issuers(cluster) == {}


def test_the_property_stays_stored_when_the_cluster_cannot_be_reached(host: Host) -> None:
    kubeconfig = host.dokku(
        "scheduler-k3s:report", "--global", "--scheduler-k3s-global-kubeconfig-path"
    ).stdout.strip()
    host.dokku("scheduler-k3s:set", "--global", "kubeconfig-path", "/nowhere/kubeconfig")
    try:
        done = host.dokku("scheduler-k3s:set", "--global", "letsencrypt-server", "stag", check=False)
    finally:
        host.dokku("scheduler-k3s:set", "--global", "kubeconfig-path", kubeconfig)
    assert done.returncode == 1
    assert " !     Error installing cluster-issuer chart: " in done.stderr
    stored = host.dokku(
        "scheduler-k3s:report", "--global", "--scheduler-k3s-global-letsencrypt-server"
    ).stdout
    assert stored == "stag\n"
