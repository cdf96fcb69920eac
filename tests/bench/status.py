"""The questions that every `ps:report` asks twice per app, against one request of kubectl for the same objects."""

from collections.abc import Iterator

from .hosts import deployed, environment, kubectl, plugin
from .measure import Cost, Row, cost

RUNS = 25
APP = "benchstatus"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/default/deployments?labelSelector=app.kubernetes.io/part-of={APP}"
_RELEASES = f"/api/v1/namespaces/default/secrets?labelSelector=owner=helm,name={APP}"
_JOBS = f"/apis/batch/v1/namespaces/default/jobs?labelSelector=app.kubernetes.io/part-of={APP}"
QUESTIONS = (
    ("scheduler-app-status", (), _DEPLOYMENTS),
    ("scheduler-is-deployed", (), _RELEASES),
    ("scheduler-run-list", ("json",), _JOBS),
)


def rows() -> Iterator[Row]:
    with deployed(APP) as dokku:
        env = environment(dokku)
        for trigger, words, path in QUESTIONS:
            argv = (str(plugin(dokku) / trigger), "k3s", APP, *words)
            floor, ours = [], []
            for _ in range(RUNS):
                floor.append(cost(kubectl("get", "--raw", path), env))
                ours.append(cost(argv, env))
            yield _row(trigger, "wall", ours, floor)
            yield _row(trigger, "cpu", ours, floor)


def _row(trigger: str, kind: str, ours: list[Cost], floor: list[Cost]) -> Row:
    pair = [[getattr(one, kind) for one in samples] for samples in (ours, floor)]
    return Row(f"{trigger}, {kind}", "kubectl get --raw", "ms", pair[0], pair[1], 0.9)
