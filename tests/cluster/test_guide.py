"""docs/k3s.md, typed in order by somebody who has a host and a cluster."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import guide, images, target
from rig.cluster import Cluster
from rig.host import TOOLS, Host, host

pytestmark = pytest.mark.cluster

APP = "bookshop"
IMAGE = f"registry.example.com/{APP}:"
SECONDS = 180


@pytest.fixture
def own_host(cluster: Cluster) -> Iterator[Host]:
    """The page changes settings of the whole host, which other tests share otherwise."""
    del cluster
    with host() as laid_out:
        laid_out.dokku("scheduler-k3s:set", "--global", "kubeconfig-path", str(target.KUBECONFIG))
        laid_out.dokku("ps:set", "--global", "stop-timeout-seconds", "1")
        try:
            yield laid_out
        finally:
            laid_out.dokku("--force", "apps:destroy", APP, check=False)
            laid_out.dokku("--force", "storage:destroy", f"{APP}-uploads", check=False)


def substituted(text: str) -> str:
    """The page's names for what has another one here."""
    text = text.replace(IMAGE, f"{target.REGISTRY}/guide/{APP}:")
    text = text.replace("registry.example.com", target.REGISTRY)
    return text.replace("/home/dokku/cluster.yaml", str(target.KUBECONFIG))


def environment(dokku: Host, directory: Path) -> dict[str, str]:
    names = "".join(f'resolve = "{APP}.example.com:{port}:{target.INGRESS}"\n' for port in (80, 443))
    (directory / ".curlrc").write_text(names)
    return {
        "PATH": f"{dokku.prefix}/bin:{TOOLS}/bin:{os.environ['PATH']}",
        "HOME": str(directory),
        "CURL_HOME": str(directory),
        "KUBECONFIG": str(target.KUBECONFIG),
    }


def build(block: guide.Block, files: dict[str, str]) -> None:
    """The images that the block deploys: the sample with the files shown so far."""
    for tag in {word.removeprefix(IMAGE) for word in block.text.split() if word.startswith(IMAGE)}:
        source = {
            f"app/{path.relative_to(images.SAMPLE)}": path.read_bytes()
            for path in images.SAMPLE.rglob("*")
            if path.is_file() and path.name != "app.json"
        }
        shown = {f"app/{name}": text for name, text in files.items()}
        images.build(f"guide/{APP}:{tag}", files={**source, **shown}, cmd=["/app/bin/web"])


def test_every_block_does_what_the_page_says(own_host: Host, tmp_path: Path) -> None:
    for program in ("curl", "jq", "openssl"):
        assert shutil.which(program), program
    env = environment(own_host, tmp_path)
    files: dict[str, str] = {}
    problems = []
    for block in guide.blocks():
        if block.language == "json":
            files[block.tag] = block.text
        elif block.is_run(guide.RIG):
            build(block, files)
            done = subprocess.run(
                ["bash", "-eu", "-o", "pipefail", "-c", substituted(block.text)],
                cwd=tmp_path,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            said = done.stdout.replace(target.REGISTRY, "registry.example.com")
            wrong = "" if done.returncode == 0 else f"exit {done.returncode}\n{said}"
            if not wrong and block.output is not None:
                wrong = guide.differs(block.output, said)
            if wrong:
                problems.append(f"{guide.GUIDE.name}:{block.line}\n{block.text}{wrong}")
    assert not problems, "\n\n".join(problems)
