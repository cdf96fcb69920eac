"""What Kubernetes would expand reaches the container as it was written."""

import pytest
from scheduler_k3s.app import App, Image, Process
from scheduler_k3s.manifests.deployment import deployment
from scheduler_k3s.manifests.literal import literal


@pytest.mark.parametrize(
    ("text", "sent"),
    [("$(PORT)", "$$(PORT)"), ("a$$b", "a$$$$b"), ("$HOME", "$$HOME"), ("5$", "5$$")],
)
def test_each_dollar_is_doubled(text: str, sent: str) -> None:
    assert literal(text) == sent


def test_the_words_of_a_process_are_sent_so() -> None:
    process = Process("web", 1, "1", args=("echo", "$(PORT)", "$$"))
    app = App("shop", "default", "1", Image("shop:1"), [process])
    (container,) = deployment(app, process)["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["echo", "$$(PORT)", "$$$$"]
