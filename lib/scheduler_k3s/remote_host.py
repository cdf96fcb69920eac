"""Where a node is reached over ssh: `ssh://user@host:port`, checked before anything is done with it."""

import socket
from typing import NamedTuple

from scheduler_k3s import values
from scheduler_k3s.errors import PluginError

PORT = 22
_HOST = values.ANY_CASE | set(".-_")
_USER = values.ANY_CASE | set(".-_+")
_EXAMPLE = "for example ssh://root@10.0.0.6 or ssh://admin@worker.example.com:2222"


class RemoteHost(NamedTuple):
    """`host` is a name, an IPv4 address, or an IPv6 address without brackets."""

    user: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The normal form: equal for all ways of writing the same place."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ssh://{self.user}@{host}:{self.port}"

    @property
    def known_name(self) -> str:
        """The name under which known_hosts has it."""
        return self.host if self.port == PORT else f"[{self.host}]:{self.port}"


def parse(text: str, user: str) -> RemoteHost:
    """`user` counts when the URL has none. Errors: PluginError, which never repeats a password."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise PluginError(f"missing remote host ssh scheme in remote host: {_shown(text)}, {_EXAMPLE}")
    if scheme.lower() != "ssh":
        raise PluginError(f"invalid remote host scheme: {scheme}, {_EXAMPLE}")
    login, at, place = rest.removesuffix("/").rpartition("@")
    name, colon, _ = login.partition(":")
    if colon:
        raise PluginError(
            f"Invalid remote host: ssh://{name}:***@{place} has a password, and dokku logs in with its ssh key "
            f"only. Leave the password out, and add the key to the host: {_EXAMPLE}"
        )
    if at and not name:
        raise _invalid(text, "the user before @ is missing")
    host, port = _split(text, place)
    return RemoteHost(_user(text, name or user), _host(text, host), _port(text, port))


def without_password(text: str) -> str:
    """The earlier scheduler took passwords, and noted them at the node."""
    scheme, separator, rest = text.partition("://")
    login, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{login.partition(':')[0]}{at}{place}"


def check_server(address: str) -> None:
    """The address of a server that nodes dial, without a port. Errors: PluginError."""
    is_name = values.consists_of(address, _HOST) and address[0] not in "-."
    if not (is_name or _is_ipv6(address)):
        raise PluginError(
            f"Invalid server-ip: {_shown(address)}, must be an address or a name of a server, for example 10.0.0.5"
        )


def _split(text: str, place: str) -> tuple[str, str]:
    """Host and port as they were written; an IPv6 address needs brackets."""
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not (bracket and _is_ipv6(host) and (not rest or rest[0] == ":")):
            raise _invalid(text, "what stands in brackets must be an IPv6 address, ssh://root@[fd00::6]:22")
        return host, rest[1:] if rest else str(PORT)
    host, colon, port = place.partition(":")
    if ":" in port:
        raise _invalid(text, "an IPv6 address needs brackets: ssh://root@[fd00::6]:22")
    return host, port if colon else str(PORT)


def _user(text: str, user: str) -> str:
    if user[:1] == "-" or not values.consists_of(user, _USER):
        raise _invalid(text, f"{user or 'no user'} cannot be a user name")
    return user


def _host(text: str, host: str) -> str:
    """Lower case, as names and addresses mean the same in either."""
    if ":" in host:
        return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host))
    if host[:1] in ("-", ".") or not values.consists_of(host, _HOST) or len(host) > 253:
        raise _invalid(text, f"{host or 'nothing'} cannot be a host name")
    return host.lower()


def _port(text: str, port: str) -> int:
    if not (values.consists_of(port, values.DIGITS) and 0 < int(port[:6]) < 65536):
        raise _invalid(text, f"the port must be a number from 1 to 65535, not {port or 'empty'}")
    return int(port)


def _is_ipv6(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True


def _invalid(text: str, why: str) -> PluginError:
    return PluginError(f"Invalid remote host: {_shown(text)}: {why}; {_EXAMPLE}")


def _shown(text: str) -> str:
    """Without what may be a password, on one line."""
    login, at, place = text.rpartition("@")
    user, colon, _ = login.removeprefix("ssh://").partition(":")
    shown = text if not (at and colon) else f"{user}:***@{place}"
    return "".join(letter if letter.isprintable() else "?" for letter in shown)
