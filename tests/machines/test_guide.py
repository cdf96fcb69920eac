"""What docs/k3s.md does to machines: a cluster of three hosts comes and goes."""

import pytest
from rig import charts, guide, images
from rig.machines.laboratory import Laboratory

pytestmark = pytest.mark.cluster

WORKERS = ("worker-1", "worker-2")
KEY = "/home/dokku/.ssh/id_ed25519"
# the page's own words are about all of them; two are enough to see that they come
SPARED = "longhorn,keda,keda-add-ons-http,vector"


def test_every_block_for_machines_does_what_the_page_says(lab: Laboratory) -> None:
    for name in ("library/busybox:1.36", "pause:3.9"):
        images.build(name, cmd=["sleep", "3600"])
    host = lab.dokku()
    workers = {f"{name}.example.com": lab.machine(name) for name in WORKERS}
    places = "".join(f"{worker.address} {name}\n" for name, worker in workers.items())
    known = "".join(
        f"{worker.known_host.strip().replace(worker.address, name)}\n" for name, worker in workers.items()
    )
    host.write("/etc/hosts", host.read("/etc/hosts") + places)
    host.write("/root/.ssh/known_hosts", known, mode=0o600)
    # an administrator who can log in to the workers, on a host whose dokku cannot yet
    host.write("/root/.ssh/id_ed25519", lab.key.read_text(), mode=0o600)
    host.run(["rm", "-f", KEY, f"{KEY}.pub"])
    with charts.serve(address=lab.place.gateway) as repository:
        host.dokku("scheduler-k3s:set", "--global", "chart-repository-url", repository.url)
        host.dokku("scheduler-k3s:set", "--global", "charts-disabled", SPARED)
        for block in guide.blocks():
            if block.is_run(guide.MACHINES):
                text = block.text.replace("192.0.2.10", host.address)
                done = host.run(["bash", "-eu", "-o", "pipefail", "-c", text], check=False, timeout=300)
                said = done.stdout + done.stderr
                assert done.returncode == 0, f"{guide.GUIDE.name}:{block.line}\n{text}\n{said}"
                wrong = guide.differs(block.output, said) if block.output is not None else ""
                assert not wrong, f"{guide.GUIDE.name}:{block.line}\n{text}\n{wrong}"
