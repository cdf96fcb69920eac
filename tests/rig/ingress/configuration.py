"""nginx configuration out of hosts. Of two claims to a path of a host the first one wins."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rig.ingress.model import ANY_HOST, HTTP, HTTPS, Host, Location


@dataclass(frozen=True)
class Settings:
    """Folders and addresses of this nginx; `address` is where it listens for both protocols."""

    folder: Path
    logs: Path
    address: str
    http_port: int
    https_port: int
    health: str


def render(hosts: Iterable[Host], settings: Settings) -> str:
    servers: dict[tuple[str, tuple[str, ...]], list[Host]] = {}
    for host in sorted(hosts, key=lambda host: host.name == ANY_HOST):
        servers.setdefault((host.name, host.entry_points), []).append(host)
    pools: dict[str, tuple[str, ...]] = {}
    blocks = [_server(name, points, group, settings, pools) for (name, points), group in servers.items()]
    upstreams = [_upstream(name, addresses) for name, addresses in pools.items()]
    return "\n".join([_head(settings), *upstreams, *blocks, "}", ""])


def certificate_path(pem: str, settings: Settings) -> Path:
    return settings.folder / "ssl" / f"{hashlib.sha256(pem.encode()).hexdigest()[:32]}.pem"


def _head(settings: Settings) -> str:
    temporary = "\n".join(
        f"    {kind}_temp_path {settings.folder}/temporary/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
worker_processes 2;
worker_shutdown_timeout 240s;
pid {settings.folder}/nginx.pid;
error_log {settings.logs}/error.log notice;
events {{ worker_connections 4096; }}
http {{
{temporary}
    default_type text/plain;
    server_tokens off;
    server_names_hash_max_size 8192;
    server_names_hash_bucket_size 256;
    map_hash_bucket_size 128;
    client_header_timeout 60s;
    client_body_timeout 60s;
    keepalive_timeout 75s;
    log_format upstreaminfo '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent" $request_length $request_time $host $upstream_addr $upstream_status';
    access_log {settings.logs}/access.log upstreaminfo;
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 3;
    proxy_http_version 1.1;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    ssl_certificate {settings.folder}/default.pem;
    ssl_certificate_key {settings.folder}/default.pem;
    ssl_session_cache shared:SSL:1m;
    server {{
        listen {settings.health};
        location = /healthz {{ access_log off; return 200 "ok\\n"; }}
    }}
    server {{
        listen {settings.address}:{settings.http_port} default_server;
        listen {settings.address}:{settings.https_port} default_server ssl http2;
        server_name "";
        location / {{ return 404 "default backend - 404\\n"; }}
    }}"""


def _server(
    name: str,
    points: tuple[str, ...],
    group: list[Host],
    settings: Settings,
    pools: dict[str, tuple[str, ...]],
) -> str:
    lines = [f"server_name {group[0].server_name or name};"]
    if HTTP in points:
        lines.append(f"listen {settings.address}:{settings.http_port};")
    if HTTPS in points:
        lines.append(f"listen {settings.address}:{settings.https_port} ssl http2;")
    pem = next((host.certificate for host in group if host.certificate), None)
    if pem:
        path = certificate_path(pem, settings)
        lines += [f"ssl_certificate {path};", f"ssl_certificate_key {path};"]
    lines += next((host.snippet.splitlines() for host in group if host.snippet), [])
    claimed: set[str] = set()
    for location in (location for host in group for location in host.locations):
        if location.pattern not in claimed:
            claimed.add(location.pattern)
            lines += _location(location, pools)
    if "/" not in claimed:
        lines.append("location / { return 404; }")
    body = "\n".join(f"        {line}" for line in lines)
    return f"    ## start server {name}\n    server {{\n{body}\n    }}\n    ## end server {name}"


def _location(location: Location, pools: dict[str, tuple[str, ...]]) -> list[str]:
    body = [*location.directives, *_PROXY_HEADERS, *location.snippet.splitlines()]
    if location.endpoints:
        digest = hashlib.sha256(" ".join(location.endpoints).encode()).hexdigest()[:16]
        pools[f"pool-{digest}"] = location.endpoints
        body.append(f"proxy_pass {location.upstream_scheme}://pool-{digest};")
    else:
        body.append("return 503;")
    return [f"location {location.pattern} {{", *(f"    {line}" for line in body), "}"]


_PROXY_HEADERS = (
    "proxy_set_header Host $http_host;",
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Connection $connection_upgrade;",
    "proxy_set_header X-Request-ID $request_id;",
    "proxy_set_header X-Real-IP $remote_addr;",
    "proxy_set_header X-Forwarded-For $remote_addr;",
    "proxy_set_header X-Forwarded-Host $http_host;",
    "proxy_set_header X-Forwarded-Port $server_port;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
    "proxy_set_header X-Forwarded-Scheme $scheme;",
    "proxy_set_header X-Scheme $scheme;",
    "proxy_redirect off;",
)


def _upstream(name: str, addresses: tuple[str, ...]) -> str:
    """No address is ever marked as down here: Kubernetes tells which are ready."""
    servers = " ".join(f"server {address} max_fails=0;" for address in addresses)
    return f"    upstream {name} {{ {servers} }}"
