"""A Kubernetes node out of real parts on this machine: `python -m rig.node build|start|stop|status`."""
