"""A constant load of HTTP requests against this machine, and what became of each.

Every request has a connection of its own, as a router's first request to a pod has: a reused one would hide
pods that no longer accept.
"""

import http.client
import threading
import time
from collections import Counter
from types import TracebackType

_TIMEOUT = 10.0
_PAUSE = 0.005
_LONGEST = 600.0


class Load:
    """`workers` threads that ask one after the other with a short pause; for 10 minutes at most.

    Use it as a context: it counts from entry to exit. `lost` are requests without an answer of 200.
    """

    def __init__(self, address: str, port: int, host: str = "", path: str = "/", *, workers: int = 8) -> None:
        self.target = (address, port)
        self.host = host or address
        self.path = path
        self.requests = 0
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]

    @property
    def lost(self) -> int:
        return sum(self.failures.values())

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        end = time.monotonic() + _LONGEST
        while not self._over.is_set() and time.monotonic() < end:
            failure, answer = self._ask()
            with self._lock:
                self.requests += 1
                if failure:
                    self.failures[failure] += 1
                else:
                    self.answers[answer] += 1
            self._over.wait(_PAUSE)

    def _ask(self) -> tuple[str, str]:
        """What went wrong, or the body's first line."""
        connection = http.client.HTTPConnection(*self.target, timeout=_TIMEOUT)
        try:
            connection.request("GET", self.path, headers={"Host": self.host})
            response = connection.getresponse()
            body = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, ""
        finally:
            connection.close()
        return ("", body.partition("\n")[0]) if response.status == 200 else (f"HTTP {response.status}", "")
