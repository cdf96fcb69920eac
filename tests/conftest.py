"""What all tests need of the process that they run in."""

import signal


def pytest_configure() -> None:
    """A shell's background jobs begin with SIGINT ignored, and the programs under test would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
