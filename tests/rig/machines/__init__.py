"""Servers to run a cluster's life on: Debian machines in namespaces, each with systemd, sshd and a disk of its own."""
