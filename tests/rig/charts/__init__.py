"""The system charts' stand-ins, and the repository that serves them."""

from rig.charts.repository import Repository, serve

__all__ = ["Repository", "serve"]
