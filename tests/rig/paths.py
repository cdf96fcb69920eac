"""Where the rig keeps things: built parts (reused for ever) and the running node's state (gone after stop)."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scheduler-k3s-rig"
STATE = Path("/var/lib/scheduler-k3s-rig")
KUBECONFIG = STATE / "kubeconfig"
LOGS = STATE / "log"
VENV_PYTHON = CACHE / "venv" / "bin" / "python"
