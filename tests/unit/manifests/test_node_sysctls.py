"""The DaemonSet that sets sysctls."""

import subprocess

from scheduler_k3s.manifests.node_sysctls import daemon_set


def test_of_the_nodes_without_a_profile() -> None:
    item = daemon_set("dokku-node-sysctls-global", "", {"vm.b": "2", "vm.a": "1 2"}, "setter:1", "pause:2")
    labels = {"app.kubernetes.io/name": "dokku-node-sysctls-global", "app.kubernetes.io/part-of": "dokku"}
    assert (item["apiVersion"], item["kind"]) == ("apps/v1", "DaemonSet")
    assert item["metadata"] == {
        "name": "dokku-node-sysctls-global",
        "namespace": "kube-system",
        "labels": labels,
        "annotations": {"dokku.com/managed": "true"},
    }
    assert item["spec"]["selector"] == {
        "matchLabels": {"app.kubernetes.io/name": "dokku-node-sysctls-global"}
    }
    assert item["spec"]["template"]["metadata"]["labels"] == labels
    pod = item["spec"]["template"]["spec"]
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms == {
        "nodeSelectorTerms": [
            {"matchExpressions": [{"key": "dokku.com/node-profile", "operator": "DoesNotExist"}]}
        ]
    }
    assert "nodeSelector" not in pod
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["automountServiceAccountToken"] is False
    assert pod["containers"] == [
        {"name": "pause", "image": "pause:2", "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}}}
    ]
    (setter,) = pod["initContainers"]
    assert (setter["name"], setter["image"]) == ("apply-sysctls", "setter:1")
    assert setter["securityContext"] == {"privileged": True}
    assert setter["command"][-2:] == ["vm.a=1 2", "vm.b=2"]


def test_of_the_nodes_of_a_profile() -> None:
    pod = daemon_set("r", "Big", {"vm.a": "1"}, "s", "p")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"dokku.com/node-profile": "Big"}
    assert "affinity" not in pod


def test_the_script_sets_one_after_the_other_and_stops_at_the_first_failure() -> None:
    words = {"a.a": "; echo x", "b.b": "$(id) 'y'", "c.c": "3"}
    (setter,) = daemon_set("r", "", words, "s", "p")["spec"]["template"]["spec"]["initContainers"]
    shell, option, script, *rest = (word.replace("$$", "$") for word in setter["command"])
    fake = 'sysctl() { printf "<%s>" "$@"; [ "$2" = "$FAILS" ] && return 3; return 0; }\n'

    def run(fails: str) -> tuple[int, str]:
        argv = [shell, option, fake + script, *rest]
        done = subprocess.run(argv, env={"FAILS": fails}, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    first, second, third = "<-w><a.a=; echo x>", "<-w><b.b=$(id) 'y'>", "<-w><c.c=3>"
    assert run("") == (0, first + second + third)
    assert run("b.b=$(id) 'y'") == (3, first + second)
