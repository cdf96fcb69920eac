"""Emptying a node: what goes how, what stays, what is put back. The cluster is simulated, one look is one tick."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from scheduler_k3s.errors import PluginError
from scheduler_k3s.operations import drain, leaving
from scheduler_k3s.tools.cluster import ApiError, Cluster

Object = dict[str, Any]
RESTARTED = "kubectl.kubernetes.io/restartedAt"


class World:
    """Node `a` is to be emptied. A Deployment whose template changes moves on the next look, unless it is stuck."""

    def __init__(self) -> None:
        self.node: Object = {"metadata": {"name": "a"}, "spec": {}}
        self.pods: list[Object] = []
        self.deployments: dict[str, Object] = {}
        self.claims: dict[str, Object] = {}
        self.stuck: set[str] = set()
        self.budgets: dict[str, int] = {}
        self.evicted: list[str] = []
        self.restarts: list[tuple[str, str | None]] = []
        self.on_look: Callable[[], None] = lambda: None

    def pod(self, name: str, owner: str = "", node: str = "a", **changes: Any) -> Object:
        kind, _, owner_name = owner.partition("/")
        references = [{"kind": kind, "name": owner_name, "controller": True}] if owner else []
        metadata: Object = {"name": name, "namespace": "n", "ownerReferences": references}
        if kind == "ReplicaSet":
            metadata["labels"] = {"pod-template-hash": owner_name.rpartition("-")[2]}
        metadata.update(changes)
        item = {"metadata": metadata, "spec": {"nodeName": node}, "status": {"phase": "Running"}}
        self.pods.append(item)
        return item

    def deployment(self, name: str, strategy: str = "RollingUpdate", restarted: str = "") -> Object:
        annotations = {RESTARTED: restarted} if restarted else {}
        self.deployments[name] = {
            "metadata": {"name": name, "namespace": "n"},
            "spec": {
                "replicas": 1,
                "strategy": {"type": strategy},
                "selector": {"matchLabels": {"app": name}},
                "template": {"metadata": {"annotations": annotations}},
            },
        }
        self.pod(f"{name}-1", f"ReplicaSet/{name}-5f")
        return self.deployments[name]

    # what of the client is used

    def get(self, path: str) -> Object:
        found = self.find(path)
        assert found is not None
        return found

    def find(self, path: str) -> Object | None:
        _, kind, name = path.rsplit("/", 2)
        known = {
            "nodes": {"a": self.node},
            "deployments": self.deployments,
            "persistentvolumeclaims": self.claims,
        }
        return known[kind].get(name)

    def list(self, path: str, labels: str = "", fields: str = "") -> list[Object]:
        if labels:
            name = labels.removeprefix("app=")
            message = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
            new = {"metadata": {"name": f"{name}-2"}, "status": {"conditions": [message]}}
            return [new] if name in self.stuck else []
        self.on_look()
        return [pod for pod in self.pods if pod["spec"]["nodeName"] == fields.removeprefix("spec.nodeName=")]

    def merge(self, path: str, patch: Object) -> Object:
        name = path.rpartition("/")[2]
        if name == "a":
            self.node["spec"]["unschedulable"] = patch["spec"]["unschedulable"]
            return {}
        stamp = patch["spec"]["template"]["metadata"]["annotations"][RESTARTED]
        self.restarts.append((name, stamp))
        self.deployments[name] = {
            **self.deployments[name],
            "spec": {
                **self.deployments[name]["spec"],
                "template": {"metadata": {"annotations": {RESTARTED: stamp}}},
            },
        }
        if name not in self.stuck:
            assert self.node["spec"].get("unschedulable"), "new pods would come back to the node"
            self._move(f"{name}-1")
        return {}

    def create(self, path: str, body: Object) -> Object:
        assert path.endswith(f"/namespaces/n/pods/{body['metadata']['name']}/eviction")
        name = body["metadata"]["name"]
        if self.budgets.get(name, 0) > 0:
            self.budgets[name] -= 1
            raise ApiError("create", 429, "TooManyRequests", "the budget web needs 1 healthy pods")
        self.evicted.append(name)
        self._move(name)
        return {}

    def _move(self, name: str) -> None:
        for pod in self.pods:
            if pod["metadata"]["name"] == name:
                pod["spec"]["nodeName"] = "b"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(leaving, "_INTERVAL", 0.0)
    monkeypatch.setattr(leaving, "_REPORT", 0.0)
    return World()


def empty(world: World, patience: float = 5.0) -> None:
    cluster = cast(Cluster, world)
    drain.check(cluster, "a")
    with drain.cordoned(cluster, "a"):
        drain.empty(cluster, "a", patience)


def test_pods_of_deployments_are_rolled_and_the_others_evicted(world: World) -> None:
    world.deployment("web")
    world.deployment("once", strategy="Recreate")
    world.pod("db-0", "StatefulSet/db")
    world.pod("agent", "DaemonSet/agent")
    world.pod("mirror", "Node/a", annotations={"kubernetes.io/config.mirror": "x"})
    world.pod("other", "StatefulSet/db", node="b")
    done = world.pod("done", "Job/done")
    done["status"]["phase"] = "Succeeded"
    empty(world)
    assert [name for name, _ in world.restarts] == ["web"]
    assert sorted(world.evicted) == ["db-0", "once-1"]
    assert world.node["spec"]["unschedulable"] is True


@pytest.mark.parametrize(("mode", "rolled"), [("ReadWriteOnce", []), ("ReadWriteMany", ["web"])])
def test_a_volume_that_one_node_can_have_leaves_before_it_comes(
    world: World, capsys: pytest.CaptureFixture[str], mode: str, rolled: list[str]
) -> None:
    """A new pod elsewhere would wait for the volume, and the old one for the new pod."""
    template = world.deployment("web")["spec"]["template"]
    template["spec"] = {"volumes": [{"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "data"}}]}
    world.claims["data"] = {"spec": {"accessModes": [mode]}}
    empty(world)
    assert [name for name, _ in world.restarts] == rolled
    assert world.evicted == ([] if rolled else ["web-1"])
    assert ("n/web pauses while it moves" in capsys.readouterr().out) != bool(rolled)


def test_a_budget_is_waited_for_and_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.pod("db-0", "StatefulSet/db")
    world.budgets["db-0"] = 3
    empty(world)
    assert world.evicted == ["db-0"]
    assert "Waiting for n/db-0 (n/db-0: the budget web needs 1 healthy pods)" in capsys.readouterr().out


def test_what_blocks_is_named_and_the_node_takes_pods_again(world: World) -> None:
    world.pod("db-0", "StatefulSet/db")
    world.budgets["db-0"] = 1_000_000
    with pytest.raises(leaving.Blocked, match=r"pods do not leave a: n/db-0 \(n/db-0: the budget web needs"):
        empty(world, patience=0.1)
    assert not world.node["spec"].get("unschedulable")


def test_a_node_that_was_cordoned_before_stays_so(world: World) -> None:
    world.node["spec"]["unschedulable"] = True
    world.pod("db-0", "StatefulSet/db")
    world.budgets["db-0"] = 1_000_000
    with pytest.raises(leaving.Blocked):
        empty(world, patience=0.0)
    assert world.node["spec"]["unschedulable"] is True


@pytest.mark.parametrize("before", ["", "2026-01-01T00:00:00Z"])
def test_a_deployment_that_cannot_move_is_put_back(world: World, before: str) -> None:
    world.deployment("web", restarted=before)
    world.stuck.add("web")
    with pytest.raises(leaving.Blocked) as raised:
        empty(world, patience=0.05)
    assert (
        "pods do not move from a: n/web-1 of n/web (web-2: 0/1 nodes are available)" in raised.value.message
    )
    assert world.evicted == []
    assert [stamp for _, stamp in world.restarts[1:]] == [before or None]


def test_by_force_it_is_evicted_though_its_new_pods_cannot_be_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.deployment("web")
    world.stuck.add("web")
    drain.empty(cast(Cluster, world), "a", 0.05, force=True)
    assert world.evicted == ["web-1"]
    assert "pods do not move from a: n/web-1 of n/web" in capsys.readouterr().err


def test_a_deployment_that_was_deployed_meanwhile_is_left_as_it_is(world: World) -> None:
    world.deployment("web")
    world.stuck.add("web")

    def deploy() -> None:
        if world.restarts:
            world.deployments["web"]["spec"]["template"]["metadata"]["annotations"] = {
                RESTARTED: "somebody else's"
            }

    world.on_look = deploy
    with pytest.raises(leaving.Blocked):
        empty(world, patience=0.05)
    assert len(world.restarts) == 1


def test_pods_that_nothing_makes_again_are_refused_before_anything_changes(world: World) -> None:
    world.deployment("web")
    world.pod("alone")
    with pytest.raises(leaving.Blocked, match=r"^a runs pods that nothing makes again elsewhere: n/alone\. "):
        empty(world)
    assert (world.restarts, world.evicted, world.node["spec"]) == ([], [], {})


def test_a_pod_that_goes_by_itself_is_waited_for(world: World) -> None:
    world.pod("going", deletionTimestamp="2026-01-01T00:00:00Z")
    looks: list[int] = []

    def gone() -> None:
        looks.append(1)
        if len(looks) > 5:
            world.pods.clear()

    world.on_look = gone
    empty(world)
    assert (len(looks), world.evicted) == (6, [])


def test_a_task_runs_to_its_end(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    task = world.pod("task", "Job/task")
    looks: list[int] = []

    def end() -> None:
        looks.append(1)
        if len(looks) > 5:
            task["status"]["phase"] = "Succeeded"

    world.on_look = end
    empty(world)
    assert world.evicted == []
    assert "Waiting for n/task (n/task: it runs to its end)" in capsys.readouterr().out
    task["status"]["phase"] = "Running"
    world.on_look = lambda: None
    with pytest.raises(leaving.Blocked, match="n/task: it runs to its end"):
        empty(world, patience=0.05)


def test_an_error_puts_the_node_back(world: World) -> None:
    def down() -> None:
        if world.node["spec"]:
            raise PluginError("the server is down")

    world.on_look = down
    with pytest.raises(PluginError, match="down"):
        empty(world)
    assert not world.node["spec"].get("unschedulable")
