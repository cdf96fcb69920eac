"""`run APP true` as dokku calls it, against `kubectl run --rm` of the same image. Needs the rig's node."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from rig import images, target
from rig.host import host
from rig.node import versions

RUNS = 7
APP = "benchrun"


def main() -> int:
    image = images.sample()
    kubectl = [versions.program("kubectl"), f"--kubeconfig={target.KUBECONFIG}"]
    options = ["--rm", "-i", "--quiet", "--restart=Never", f"--image={image}", "--image-pull-policy=Always"]
    with host() as dokku:
        dokku.use(target.KUBECONFIG)
        dokku.dokku("apps:create", APP)
        dokku.dokku("git:from-image", APP, image)
        trigger = [str(dokku.prefix / "bin/dokku"), "run", APP, "true"]
        try:
            floor, ours = [], []
            for run in range(RUNS):
                floor.append(_seconds([*kubectl, "run", f"floor-{run}", *options, "--", "true"]))
                ours.append(_seconds(trigger))
        finally:
            dokku.dokku("--force", "apps:destroy", APP)
    print(f"kubectl run --rm    {_spread(floor)}")
    ratio = statistics.median(ours) / statistics.median(floor)
    print(f"dokku run           {_spread(ours)}   {ratio:.2f} x")
    return 0


def _seconds(argv: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - started


def _spread(samples: list[float]) -> str:
    return f"{statistics.median(samples):6.2f} s  ({min(samples):.2f} to {max(samples):.2f}, {len(samples)} runs)"


if __name__ == "__main__":
    sys.exit(main())
