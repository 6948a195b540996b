"""Reads the header of the PROXY protocol, version 2: a balancer sends the address of its client in it.

The header is the first thing on a connection, before TLS: a signature, four bytes, and the addresses. Fields
that are not used here may follow. https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
import struct
from collections.abc import Callable

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_VERSION_1 = b"PROXY "
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
_ADDRESSES = {0x11: struct.Struct("!4s4sHH"), 0x21: struct.Struct("!16s16sHH")}  # TCP over IPv4, over IPv6
_MAX_BYTES = 4096  # of the addresses and the fields after them


class HeaderError(Exception):
    """There is no header of version 2, or it cannot be understood."""


def read_header(receive: Callable[[int], bytes]) -> str | None:
    """Read the header. Returns the address of the client with its port. Raises HeaderError or OSError.

    receive: recv of the socket. Returns None for a connection of the balancer itself, such as a health check,
    and for a client that has no TCP address.
    """
    signature = b""
    while len(signature) < len(_SIGNATURE):
        signature += _receive(receive, len(_SIGNATURE) - len(signature))
        if not _SIGNATURE.startswith(signature):
            if _VERSION_1.startswith(signature[: len(_VERSION_1)]):
                raise HeaderError("it sends version 1 of the PROXY protocol: configure version 2")
            raise HeaderError("it does not begin with a header of the PROXY protocol, version 2")
    command, family, size = struct.unpack("!BBH", _receive_all(receive, 4))
    if command not in (_LOCAL, _PROXY):
        raise HeaderError(f"its PROXY header has the unknown version and command {command:#04x}")
    if size > _MAX_BYTES:
        raise HeaderError(f"its PROXY header is longer than {_MAX_BYTES} bytes")
    body = _receive_all(receive, size)
    addresses = _ADDRESSES.get(family)
    if command == _LOCAL or addresses is None:
        return None
    if size < addresses.size:
        raise HeaderError("its PROXY header is too short for its addresses")
    source, _, port, _ = addresses.unpack_from(body)
    address = ipaddress.ip_address(source)
    return f"{getattr(address, 'ipv4_mapped', None) or address}:{port}"


def _receive_all(receive: Callable[[int], bytes], size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += _receive(receive, size - len(data))
    return data


def _receive(receive: Callable[[int], bytes], size: int) -> bytes:
    """Receive at least one byte, and at most `size`."""
    data = receive(size)
    if not data:
        raise ConnectionError("it ended before the end of its PROXY header")
    return data
