"""Security contexts, from what docker options asked for."""

from scheduler_k3s.app import Security
from scheduler_k3s.manifests.deployment import deployment
from scheduler_k3s.manifests.security import container_context, pod_context
from unit.models import shop, web


def test_nothing_asked_for_is_nothing_said() -> None:
    assert pod_context(shop()) == {}
    assert container_context(shop()) == {}
    pod = deployment(shop(), web())["spec"]["template"]["spec"]
    assert "securityContext" not in pod
    assert "securityContext" not in pod["containers"][0]


def test_everything() -> None:
    app = shop(
        security=Security(
            ("SYS_TIME", "MKNOD"), ("ALL",), True, {"net.core.somaxconn": "1024", "kernel.sem": "1 2 3 4"}
        )
    )
    pod = deployment(app, web())["spec"]["template"]["spec"]
    assert pod["securityContext"] == {
        "sysctls": [
            {"name": "kernel.sem", "value": "1 2 3 4"},
            {"name": "net.core.somaxconn", "value": "1024"},
        ]
    }
    assert pod["containers"][0]["securityContext"] == {
        "privileged": True,
        "capabilities": {"add": ["SYS_TIME", "MKNOD"], "drop": ["ALL"]},
    }


def test_one_list_of_capabilities_does_not_bring_the_other() -> None:
    assert container_context(shop(security=Security(dropped=("ALL",)))) == {"capabilities": {"drop": ["ALL"]}}
