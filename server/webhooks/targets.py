"""What the URL of a webhook leads to, and whether webhooks may go there.

An operator chooses the URL, and the server sends from inside of its own network. So a name is resolved once,
each of its addresses is checked, and the connection goes to a checked address: an answer of the name server
that changes meanwhile changes nothing. Notations such as https://2130706433/ need no rule of their own,
because the resolver makes an address of them.
"""

import ipaddress
import queue
import socket
import threading
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from busware.server.settings import Settings

_HTTPS_PORT = 443
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # its last 32 bits are an IPv4 address
# Networks that are not public, but that some versions of ipaddress take for public, or that lead to the
# services of a cloud.
_NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # the platform of Azure
        "192.0.0.0/24",  # protocols; 192.0.0.192 is the metadata of Oracle Cloud
        "192.88.99.0/24",  # relays of 6to4
        "2001::/23",  # protocols, such as Teredo
        "3fff::/20",  # documentation
        "fec0::/10",  # site-local
    )
]


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


def resolve(target: Target, settings: Settings, seconds: float) -> list[Address]:
    """The addresses of a target.

    Raises Refused if webhooks may not go to one of them, OSError if there is none, and TimeoutError after
    `seconds`.
    """
    return _checked(target, _with_time_limit(target, seconds), settings)


def check(url: str, settings: Settings) -> None:
    """Check a URL and its address. A name is not resolved before a delivery. Raises Refused."""
    target = target_of(url)
    try:
        found = _look_up(target, socket.AI_NUMERICHOST)
    except socket.gaierror:  # a name
        return
    _checked(target, found, settings)


_Found = list[tuple[Any, ...]]  # the result of socket.getaddrinfo


def _look_up(target: Target, flags: int = 0) -> _Found:
    try:
        return socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:  # a label of more than 63 characters
        raise Refused(f"The host of the URL is not valid: {error}.") from None


def _with_time_limit(target: Target, seconds: float) -> _Found:
    """What the resolver of the machine answers within some seconds.

    It has time limits of its own, which may be longer. So a thread waits for it, and ends when it answers.
    """
    answers = queue.SimpleQueue[_Found | OSError | Refused]()

    def ask() -> None:
        try:
            answers.put(_look_up(target))
        except (OSError, Refused) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _checked(target: Target, found: _Found, settings: Settings) -> list[Address]:
    """The addresses, if webhooks may go to each of them. Raises Refused.

    The message names no address: a name server may know names of the private network.
    """
    if not all(_is_allowed(str(where[0]), settings) for *_, where in found):
        raise Refused(
            f"{target.host} leads to an address that is not of the public internet. Webhooks go to such an "
            "address only if it is in BUSWARE_WEBHOOK_NETWORKS."
        )
    return [Address(family, where) for family, *_, where in found]


def _is_allowed(text: str, settings: Settings) -> bool:
    """Whether webhooks may go to an address. If it contains an IPv4 address, that address is checked."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or _address_behind_nat64(address) or address
    if any(address in network for network in settings.webhook_networks or ()):
        return True
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved)
        and not any(address in network for network in _NOT_PUBLIC)
    )


def _address_behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
