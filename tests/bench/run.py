"""`run APP true` as dokku calls it, against `kubectl run --rm` of the same image."""

import itertools
from collections.abc import Iterator

from rig import images, target
from rig.host import host
from rig.node import versions

from .measure import Row, in_turns, seconds

RUNS = 7
APP = "benchrun"


def rows() -> Iterator[Row]:
    image, number = images.sample(), itertools.count()
    kubectl = [versions.program("kubectl"), f"--kubeconfig={target.KUBECONFIG}"]
    options = ["--rm", "-i", "--quiet", "--restart=Never", f"--image={image}", "--image-pull-policy=Always"]
    with host() as dokku:
        dokku.use(target.KUBECONFIG)
        dokku.dokku("apps:create", APP)
        dokku.dokku("git:from-image", APP, image)
        trigger = [str(dokku.prefix / "bin/dokku"), "run", APP, "true"]
        try:
            floor, ours = in_turns(
                RUNS,
                lambda: seconds([*kubectl, "run", f"floor-{next(number)}", *options, "--", "true"]),
                lambda: seconds(trigger),
            )
        finally:
            dokku.dokku("--force", "apps:destroy", APP)
    yield Row("run APP true", "kubectl run --rm -i", "s", ours, floor, 1.2)
