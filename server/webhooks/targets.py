"""What the URL of a webhook leads to, and whether webhooks may go there.

An operator chooses the URL, and the server sends from inside of its own network. So a name is resolved once,
each of its addresses is checked, and the connection goes to a checked address: an answer of the name server
that changes meanwhile changes nothing. Notations such as https://2130706433/ need no rule of their own,
because the resolver makes an address of them.
"""

import ipaddress
import socket
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from busware.server.settings import Settings

_HTTPS_PORT = 443


class Refused(Exception):
    """A webhook may not go to a URL. The message says why."""


class Target(NamedTuple):
    """The parts of a URL. host: without the brackets of an IPv6 address. path: with the query."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host and the port as the header Host names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTPS_PORT else f"{host}:{self.port}"


class Address(NamedTuple):
    """An address to connect to: the arguments of socket.socket and of socket.connect."""

    family: int
    where: tuple[Any, ...]


def target_of(url: str) -> Target:
    """The target of a URL that the protocol has accepted. Raises Refused for an impossible one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _HTTPS_PORT
    except ValueError as error:
        raise Refused(f"The URL is not valid: {error}.") from None
    if not host:
        raise Refused("The URL has no host.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port, path)


def resolve(target: Target, settings: Settings, *, only_numbers: bool = False) -> list[Address]:
    """The addresses of a target. Raises Refused if webhooks may not go to one of them, OSError without any.

    only_numbers: the result is empty for a name, which is not resolved.
    """
    flags = socket.AI_NUMERICHOST if only_numbers else 0
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror:
        if only_numbers:
            return []
        raise
    except UnicodeError as error:  # a label of more than 63 characters
        raise Refused(f"The host of the URL is not valid: {error}.") from None
    for *_, where in found:
        if not _is_allowed(str(where[0]), settings):
            raise Refused(
                f"{target.host} is {where[0]}, which is not an address of the public internet; only a "
                "network in BUSWARE_WEBHOOK_NETWORKS may be another one."
            )
    return [Address(family, where) for family, *_, where in found]


def check(url: str, settings: Settings) -> None:
    """Check a URL, whose name is resolved at each delivery only. Raises Refused."""
    resolve(target_of(url), settings, only_numbers=True)


def _is_allowed(text: str, settings: Settings) -> bool:
    """Whether webhooks may go to an address. Of one with an IPv4 address in it, that one counts."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local:  # which is_global does not know
            return False
        address = address.ipv4_mapped or address.sixtofour or address
    if any(address in network for network in settings.webhook_networks or ()):
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved)
