"""Command line of the node: build, start, stop, status."""

import argparse
import sys
import time

from rig.node import build, fetch, lifecycle, packages, processes
from rig.paths import KUBECONFIG

_ERRORS = (
    build.BuildError,
    fetch.FetchError,
    lifecycle.NodeError,
    packages.PackageError,
    processes.PartError,
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rig.node", description="The Kubernetes node of the tests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="bring every part onto this machine (ten minutes, once)")
    start = commands.add_parser("start", help="start the node, or reuse it")
    start.add_argument(
        "--traefik", type=int, choices=(2, 3), default=3, help="whose resource definitions to serve"
    )
    commands.add_parser("stop", help="end the node and take every trace of it away")
    commands.add_parser("status", help="one line per part; exit code 0 when all are healthy")
    arguments = parser.parse_args()
    try:
        return _run(arguments)
    except _ERRORS as error:
        print(f"node: {error}", file=sys.stderr)
    return 1


def _run(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    if arguments.command == "status":
        return _status()
    if arguments.command == "build":
        build.build()
    elif arguments.command == "start":
        if not build.is_built():
            build.build()
        lifecycle.start(arguments.traefik)
        print(f"node: KUBECONFIG={KUBECONFIG}")
    else:
        lifecycle.stop()
    print(f"node: {arguments.command} took {time.monotonic() - started:.1f} s")
    return 0


def _status() -> int:
    rows = lifecycle.status()
    for name, healthy, remark in rows:
        print(f"{name:<24} {'healthy' if healthy else 'FAILED':<8} {remark}")
    return 0 if all(healthy for _, healthy, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
