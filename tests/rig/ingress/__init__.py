"""Routing for the tests: a real nginx, configured from the cluster's Ingresses and Traefik's IngressRoutes."""
