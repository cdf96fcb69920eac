"""Connections to the API server of a kubeconfig: TLS with its certificates, or a private `kubectl proxy`."""

import _thread
import os
import socket
import ssl

from scheduler_k3s.errors import PluginError
from scheduler_k3s.tools.http1 import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scheduler_k3s.tools import kubeconfig

_PROBES = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class Dialer:
    """Opens connections for any number of threads. `base` is put before every path."""

    def __init__(self, connection: "kubeconfig.Connection") -> None:
        self._connection = connection
        self._lock = _thread.allocate_lock()
        self._context: ssl.SSLContext | None = None
        self._proxy = ""
        scheme, _, rest = connection.server.partition("://")
        self._address, _, base = rest.partition("/")
        self._is_tls = scheme != "http"
        self.base = f"/{base.rstrip('/')}" if base.rstrip("/") and connection.plain else ""

    def dial(self, timeout: float) -> Connection:
        """`timeout` is in seconds, for each step. Errors: OSError, PluginError for what a new try cannot change."""
        if not self._connection.plain:
            stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            stream.settimeout(timeout)
            stream.connect(self._proxy_socket())
            return Connection(stream, "localhost")
        host, port = self._split()
        stream = socket.create_connection((_ascii(host), port), timeout)  # type: ignore[arg-type]
        try:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._is_tls:
                name = self._connection.server_name or host
                stream = self._tls().wrap_socket(stream, server_hostname=_ascii(name))
        except BaseException:
            stream.close()
            raise
        return Connection(stream, self._address)

    def _split(self) -> "tuple[str, int]":
        host, colon, port = self._address.rpartition(":")
        if not colon or port.endswith("]"):
            host, port = self._address, "443" if self._is_tls else "80"
        if not host or not port.isdecimal() or int(port) > 65535:
            raise PluginError(
                f"Unable to create kubernetes client: kubeconfig {self._connection.path} names the server "
                f"{self._connection.server!r}, which must be of the form https://host:port"
            )
        return host.strip("[]"), int(port)

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = _tls_context(self._connection)
            return self._context

    def _proxy_socket(self) -> str:
        with self._lock:
            if not self._proxy:
                self._proxy = _start_proxy(self._connection)
            return self._proxy


def outlive_silence(stream: socket.socket, silence: "float | None") -> None:
    """Replace the timeout; with none, probes end a connection whose peer has vanished within a minute."""
    stream.settimeout(silence)
    if stream.family in (socket.AF_INET, socket.AF_INET6):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _PROBES:
            stream.setsockopt(socket.IPPROTO_TCP, option, value)


def _ascii(host: str) -> "str | bytes":
    """Bytes spare the import of the codec for international names."""
    return host.encode() if host.isascii() else host


def _tls_context(connection: "kubeconfig.Connection") -> ssl.SSLContext:
    """Errors: PluginError for certificates that OpenSSL refuses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if connection.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif connection.authority:
            context.load_verify_locations(cadata=connection.authority)
        else:
            context.load_default_certs()
        if connection.certificate:
            # OpenSSL reads key pairs from files only: an anonymous one in memory keeps the key off the disk
            with open(os.memfd_create("client-certificate"), "wb") as file:
                file.write(connection.certificate.reveal().encode())
                file.flush()
                context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise PluginError(
            f"Unable to create kubernetes client: kubeconfig {connection.path} holds a certificate that cannot "
            f"be used: {reason}"
        ) from None
    return context


def _start_proxy(connection: "kubeconfig.Connection") -> str:
    """The socket of a `kubectl proxy` in a private directory; both end with this process."""
    import atexit
    import shutil
    import subprocess
    import tempfile

    from scheduler_k3s.child import Child
    from scheduler_k3s.tools import private

    directory = tempfile.mkdtemp(prefix="scheduler-k3s-")
    argv = [private.path("kubectl"), f"--kubeconfig={connection.path}", f"--context={connection.context}"]
    # attach and exec are refused by the proxy's filter; its socket is in a directory that only we can enter
    argv += ["proxy", f"--unix-socket={directory}/api", "--disable-filter=true"]
    # in a session of its own: a ^C is ours to end in order, which takes more requests
    child = Child(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )

    def end() -> None:
        child.terminate()
        child.wait()
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(end)
    assert child.stdout is not None and child.stderr is not None
    if not child.stdout.readline():
        # kubectl says "Starting to serve" first, or why it cannot
        message = child.stderr.read().decode("utf-8", "replace").strip()
        raise PluginError(f"Unable to create kubernetes client: kubectl refuses {connection.path}: {message}")
    return f"{directory}/api"
