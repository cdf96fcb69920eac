"""`make demo`: the plugin's main job on real parts, to be read along. Leaves everything running."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from rig import images
from rig.host import Host, lay_out
from rig.load import Load
from rig.node import versions
from rig.node.model import INGRESS_ADDRESS
from rig.paths import KUBECONFIG, STATE

APP = "demo"
DOMAIN = "demo.example.com"
PREFIX = STATE / "demo"


def main() -> int:
    started = time.monotonic()
    host = _install()
    _deploy(host)
    _answer("The app answers at its domain, through nginx")
    _roll(host)
    _logs(host)
    _bad_image(host)
    _farewell(time.monotonic() - started)
    return 0


def _install() -> Host:
    _title("A dokku host, and the plugin installed in it by install.sh")
    if PREFIX.exists():
        old = Host(PREFIX)
        if (old.home / APP).is_dir():
            old.dokku("--force", "apps:destroy", APP)
        shutil.rmtree(PREFIX)
    host = lay_out(PREFIX, show=True)
    _title("What an administrator sets once: the cluster, the scheduler, the registry")
    host.use()
    return host


def _deploy(host: Host) -> None:
    _title("A sample app, two web processes and a worker, from an image")
    image = images.sample("v1")
    host.dokku("apps:create", APP)
    host.dokku("domains:set", APP, DOMAIN)
    host.dokku("config:set", "--no-restart", APP, "GREETING=hello")
    host.dokku("git:from-image", APP, image)
    host.dokku("ps:scale", APP, "web=2", "worker=1")
    _kubectl("get", "deployments,services,ingresses,pods", "--selector", f"app.kubernetes.io/part-of={APP}")


def _answer(title: str) -> str:
    _title(title)
    argv = ["curl", "--silent", "--show-error", "--fail", "--max-time", "10"]
    argv += ["--resolve", f"{DOMAIN}:80:{INGRESS_ADDRESS}", f"http://{DOMAIN}/"]
    return _command(argv)


def _roll(host: Host) -> None:
    _title("A config change: a rolling deploy, with requests all the while")
    with Load(INGRESS_ADDRESS, 80, DOMAIN) as load:
        host.dokku("config:set", APP, "GREETING=welcome")
        time.sleep(2)
    print(f"\n{load.requests} requests meanwhile, {load.lost} lost {dict(load.failures) or ''}")
    if load.lost:
        raise SystemExit("The rolling deploy lost requests")
    if "welcome" not in _answer("The new config serves"):
        raise SystemExit("The new config does not serve")


def _logs(host: Host) -> None:
    _title("The logs of all its pods, the last three lines of each")
    host.dokku("logs", APP, "--num", "3")


def _bad_image(host: Host) -> None:
    _title("An image whose web process fails: the deploy says why and ends, the old version serves on")
    image = images.build(
        "rig/broken:v2",
        files={
            "app/Procfile": "web: /app/bin/web\nworker: /app/bin/web\n",
            "app/bin/web": "#!/bin/sh\necho 'web: DATABASE_URL is not set' >&2\nexit 3\n",
        },
        cmd=["/app/bin/web"],
    )
    started = time.monotonic()
    if host.dokku("git:from-image", APP, image, check=False).returncode == 0:
        raise SystemExit("The broken image was deployed")
    print(f"\nReported {time.monotonic() - started:.0f} s after the push began")
    if "welcome" not in _answer("The old version still answers"):
        raise SystemExit("The old version is gone")


def _farewell(seconds: float) -> None:
    _title(f"Done, in {seconds:.0f} s. The cluster and the app are still up")
    print(f"  look at it      {versions.program('kubectl')} --kubeconfig {KUBECONFIG} get all")
    print(f"  use dokku       {PREFIX}/bin/dokku ps:scale {APP} web=3")
    print(f"  curl it         curl --resolve {DOMAIN}:80:{INGRESS_ADDRESS} http://{DOMAIN}/")
    print("  stop all of it  make node-stop")


def _kubectl(*words: str) -> None:
    _command([str(versions.program("kubectl")), f"--kubeconfig={KUBECONFIG}", *words])


def _command(argv: list[str]) -> str:
    shown = [word for word in argv[1:] if not word.startswith("--kubeconfig=")]
    print(f"\n$ {' '.join([Path(argv[0]).name, *shown])}", flush=True)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, end="", flush=True)
    return done.stdout


def _title(text: str) -> None:
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
