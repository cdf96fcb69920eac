"""A dokku host of files alone, under a directory of the test."""

from pathlib import Path


class Host:
    def __init__(self, base: Path) -> None:
        self.root = base / "home"
        self.lib = base / "lib"
        self.enabled = self.lib / "plugins/enabled"
        self.config = self.lib / "config/scheduler-k3s"
        self.data = self.lib / "data/scheduler-k3s"

    def app(self, name: str) -> str:
        (self.root / name).mkdir()
        return name

    def store(self, scope: str, name: str, content: str) -> Path:
        """Write a property file as dokku finds it."""
        path = self.config / scope / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
        return path

    def listener(self, plugin: str, trigger: str, script: str) -> Path:
        path = self.enabled / plugin / trigger
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
        return path
