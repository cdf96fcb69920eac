"""What an app's facts cost: how many of dokku's plugins are asked, and how long for, against asking one."""

import json
import subprocess
from collections.abc import Iterator

from .hosts import deployed, environment, plugin
from .measure import Row, seconds

RUNS = 9
APP = "benchfacts"
_PROBE = """
import json, sys, threading, time
sys.path.insert(0, sys.argv[1])
from scheduler_k3s.dokku import facts, triggers
asked, ask, lock = [], triggers.ask, threading.Lock()
def timed(trigger, *words, **options):
    started = time.perf_counter()
    try:
        return ask(trigger, *words, **options)
    finally:
        with lock:
            asked.append((trigger, time.perf_counter() - started))
triggers.ask = timed
started = time.perf_counter()
facts.gather(sys.argv[2])
print(json.dumps([time.perf_counter() - started, asked]))
"""


def rows() -> Iterator[Row]:
    whole, one, questions = [], [], 0
    with deployed(APP) as dokku:
        lib, env = str(plugin(dokku).resolve() / "lib"), environment(dokku)
        for _ in range(RUNS):
            argv = ["/usr/bin/python3", "-IS", "-c", _PROBE, lib, APP]
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
            wall, asked = json.loads(done.stdout)
            whole.append(wall * 1000)
            one.append(
                1000 * seconds((f"{dokku.prefix}/bin/plugn", "trigger", "config-get-global", "X"), env)
            )
            questions = len(asked)
    yield Row(f"all facts of an app, {questions} questions at once", "one plugn call", "ms", whole, one)
