"""Command line of the machines: build what they are made of, or remove what a crashed run has left."""

import argparse
import sys

from rig.machines import dokku_host, holder, image, laboratory, release


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rig.machines", description="The machines of the tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="make the disks and the k3s stand-in (four minutes, once)")
    commands.add_parser("clean", help="remove machines whose tests have ended without removing them")
    arguments = parser.parse_args()
    try:
        if arguments.command == "build":
            image.build()
            dokku_host.tools()
            for version in release.VERSIONS:
                release.program(version)
        else:
            for number in laboratory.clean():
                print(f"machines: removed laboratory {number}")
    except (image.ImageError, release.ReleaseError, holder.HolderError) as error:
        print(f"machines: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
