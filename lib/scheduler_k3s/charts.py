"""The system charts in install order, and what the administrator overrides in their values."""

from scheduler_k3s.dokku import properties
from scheduler_k3s.errors import PluginError


class Chart:
    """One release: its name is the chart's name too."""

    __slots__ = ("name", "namespace", "repository", "version")

    def __init__(self, name: str, namespace: str, repository: str, version: str) -> None:
        self.name = name
        self.namespace = namespace
        self.repository = repository
        self.version = version


CHARTS = (
    Chart("cert-manager", "cert-manager", "https://charts.jetstack.io", "v1.13.3"),
    Chart("longhorn", "longhorn-system", "https://charts.longhorn.io", "1.5.3"),
    Chart("traefik", "traefik", "https://helm.traefik.io/traefik", "26.0.0"),
    Chart("ingress-nginx", "ingress-nginx", "https://kubernetes.github.io/ingress-nginx", "4.15.1"),
    Chart("keda", "keda", "https://kedacore.github.io/charts", "2.19.0"),
    Chart("keda-add-ons-http", "keda", "https://kedacore.github.io/charts", "0.12.2"),
    Chart("vector", "vector", "https://helm.vector.dev", "0.52.0"),
)
NAMES = tuple(sorted(chart.name for chart in CHARTS))


def check(name: str) -> None:
    """Errors: PluginError naming the charts there are."""
    if name not in NAMES:
        raise PluginError(f'Invalid chart name "{name}", valid charts: {", ".join(NAMES)}')


def overrides(chart: str) -> dict[str, str]:
    """Helm key to value, to be applied as `--set` does."""
    return properties.read_map(properties.GLOBAL, f"chart-overrides.{chart}")


def override(chart: str, key: str, value: str) -> None:
    """Store one override, or remove it when the value is empty. It counts from the next `ensure-charts`."""
    from scheduler_k3s import log

    if value:
        log.headline_quiet(f"Setting chart.{chart}.{key} to {value}")
    else:
        log.headline_quiet(f"Unsetting chart.{chart}.{key}")
    properties.change_map(properties.GLOBAL, f"chart-overrides.{chart}", key, value)
