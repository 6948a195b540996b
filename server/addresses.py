"""The subject by which a limit counts an address: it names the network of the address.

network          subject
203.0.113.7      address:203.0.113.7      an IPv4 address, also if it is written as IPv6
2001:db8:1:2::   address:2001:db8:1:2::   for IPv6 the first 64 bits, because a customer has many addresses
"""

import ipaddress
from collections import Counter
from functools import lru_cache

from busware.server.settings import Settings

_CACHED_ADDRESSES = 1_000  # each request over HTTP needs the network of its address
_IPV6_PREFIX_BITS = 64  # the network that a provider gives to a customer


@lru_cache(_CACHED_ADDRESSES)
def network_of(address: str) -> str:
    """The network of an address. A text that is no address is its own network."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ipaddress.IPv6Network((ip, _IPV6_PREFIX_BITS), strict=False).network_address
    return str(ip)


def address_subject(address: str) -> str:
    """The subject of an address."""
    return f"address:{network_of(address)}"


def limited_subject(address: str, settings: Settings) -> str | None:
    """The subject of an address; None if it is in an exempt network."""
    return None if settings.is_exempt(address) else address_subject(address)


class SubjectCounts(Counter[str]):
    """Counts things, such as connections, by subject. A subject with a count of 0 takes no memory."""

    def decrease(self, subject: str) -> None:
        """Subtract one from the count of a subject."""
        self[subject] -= 1
        if not self[subject]:
            del self[subject]
