"""Kubernetes objects that run and route the sample app, for tests of the rig itself."""

from typing import Any


def deployment(image: str, name: str = "web", **container: Any) -> dict[str, Any]:
    labels = {"app": name}
    program = {
        "name": name,
        "image": image,
        "ports": [{"containerPort": 5000}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 5000}, "periodSeconds": 1},
        **container,
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [program], "terminationGracePeriodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def service(name: str = "web") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 5000}]},
    }


def ingress(host: str, name: str = "web", **annotations: str) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "ImplementationSpecific", "backend": backend}
    prefixed = {
        f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": text for key, text in annotations.items()
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": prefixed},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [path]}}]},
    }
