"""The system charts on a tainted server of our own, custom resources included: what is missing, old, newer, done."""

import json

import pytest
from rig import charts
from rig.charts.repository import Repository
from rig.machines.dokku_host import TOOLS, DokkuHost
from rig.machines.laboratory import Laboratory

pytestmark = pytest.mark.cluster

ALL = "cert-manager,longhorn,traefik,ingress-nginx,keda,keda-add-ons-http,vector"
INSTALLED = {
    "cert-manager": "v1.13.3",
    "ingress-nginx": "4.15.1",
    "keda": "2.19.0",
    "keda-add-ons-http": "0.12.2",
    "vector": "0.52.0",
}
KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"


def helm(host: DokkuHost, *words: str) -> str:
    return host.run([f"{TOOLS}/bin/helm", f"--kubeconfig={KUBECONFIG}", *words]).stdout


def other_keda(host: DokkuHost, repository: Repository, version: str) -> None:
    """As an administrator has it, without the tolerations that it needs here: its pods do not start."""
    words = (
        "--install",
        "keda",
        "keda",
        f"--repo={repository.url}",
        f"--version={version}",
        "--namespace=keda",
    )
    helm(host, "upgrade", *words, "--create-namespace", "--server-side=false")


def releases(host: DokkuHost) -> dict[str, tuple[str, str]]:
    """Chart version and revision of each."""
    found = json.loads(helm(host, "list", "--all-namespaces", "--output=json"))
    assert {item["status"] for item in found} == {"deployed"}
    return {
        item["name"]: (item["chart"].removeprefix(f"{item['name']}-"), item["revision"]) for item in found
    }


def processed(text: str) -> dict[str, str]:
    """The first line about each chart."""
    parts = text.split("-----> Processing chart ")[1:]
    return {part.partition("@")[0]: [*part.splitlines()[1:], ""][0].strip() for part in parts}


def custom_resources(host: DokkuHost, kind: str) -> list[str]:
    argv = ["kubectl", "get", kind, "--output=jsonpath={.items[*].metadata.name}"]
    return host.run(argv).stdout.split()


def test_a_cluster_of_ours_gets_what_it_misses_and_what_was_set_before(lab: Laboratory) -> None:
    charts.repository.pod_image()
    host = lab.dokku()
    host.run(["systemctl", "stop", "nginx"])
    with charts.serve(address=lab.place.gateway) as repository:
        host.dokku("scheduler-k3s:set", "--global", "chart-repository-url", repository.url)
        done = host.dokku(
            "scheduler-k3s:set", "--global", "letsencrypt-email-stag", "a@example.com", check=False
        )
        assert done.returncode == 1
        assert "What is set stays stored. Bring it to the cluster with: " in done.stderr
        auth = ("scheduler-k3s:autoscaling-auth:set", "--global", "datadog", "--metadata", "apiKey=1")
        host.dokku(*auth, check=False)
        done = host.dokku("scheduler-k3s:initialize", "--taint-scheduling", "--without", ALL)
        assert "letsencrypt-email-stag is set, but cert-manager is not installed" in done.stderr

        other_keda(host, repository, "2.13.1")
        host.dokku("scheduler-k3s:set", "--global", "charts-disabled", "longhorn")
        done = host.dokku("scheduler-k3s:ensure-charts")
        missing = "Installing missing chart"
        assert processed(done.stdout) == {
            "cert-manager": missing,
            "longhorn": "Skipping chart: disabled",
            "traefik": "Skipping chart due to ingress-class mismatch",
            "ingress-nginx": missing,
            "keda": "Installing chart due to version mismatch: 2.13.1 != 2.19.0",
            "keda-add-ons-http": missing,
            "vector": missing,
        }
        found = releases(host)
        assert {name: found[name][0] for name in INSTALLED} == INSTALLED
        assert custom_resources(host, "clusterissuers") == ["letsencrypt-stag"]
        assert custom_resources(host, "clustertriggerauthentications") == ["datadog"]

        other_keda(host, repository, "2.20.0")
        done = host.dokku("scheduler-k3s:ensure-charts")
        assert done.stderr == " !     keda 2.20.0 is newer than 2.19.0, left alone\n"
        assert processed(done.stdout)["vector"] == "Skipping chart: already installed"
        assert releases(host)["keda"] == ("2.20.0", "3")
        assert releases(host)["vector"] == found["vector"]
