"""Runs the controller: `python -m rig.ingress`, started by the node in a mount namespace of its own."""

import argparse
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kubernetes import config

from rig.ingress import gateway
from rig.ingress.configuration import Settings
from rig.ingress.controller import Controller
from rig.node import health
from rig.node.model import INGRESS_ADDRESS, INGRESS_FOLDER, INGRESS_HEALTH, INGRESS_LOGS, NGINX_HEALTH
from rig.paths import KUBECONFIG


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rig.ingress", description=__doc__)
    parser.add_argument("--http-port", type=int, default=80)
    parser.add_argument("--https-port", type=int, default=443)
    arguments = parser.parse_args()
    settings = Settings(
        INGRESS_FOLDER, INGRESS_LOGS, INGRESS_ADDRESS, arguments.http_port, arguments.https_port, NGINX_HEALTH
    )
    gateway.prepare(settings)
    gateway.start(settings)
    config.load_kube_config(str(KUBECONFIG))
    controller = Controller(settings)
    threading.Thread(target=_answer_health, args=(controller,), daemon=True).start()
    controller.run()


def _answer_health(controller: Controller) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """200 once every kind was read, as long as all are followed and nginx answers."""
            watcher = controller.watcher
            well = (
                watcher.is_complete()
                and watcher.is_alive()
                and health.answers(f"http://{NGINX_HEALTH}/healthz")
            )
            self.send_response(200 if well else 503)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Health questions are not worth a line."""

    host, _, port = INGRESS_HEALTH.partition(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
