"""From which web pages a request may come: the headers Host and Origin, and CORS.

A browser sends requests of any page to any server, and names the page's site in the header Origin. A page
whose site makes its own name point to this machine (DNS rebinding) is of the same origin as the server; only
the header Host has the wrong name. So both headers are checked. Programs other than browsers may leave out
Origin.
"""

import ipaddress
import socket
from functools import lru_cache

from busware.server.http import problems
from busware.server.settings import Settings
from busware.server.tls import is_loopback

_CACHED_CHECKS = 100  # pairs of Host and Origin; most requests have the same few
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFLIGHT_SECONDS = 600  # how long a browser may keep the answer to a preflight request
_ALLOWED = {  # in every response to an allowed origin: a preflight request is an OPTIONS request
    "Vary": "Origin",
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match",
    "Access-Control-Expose-Headers": "ETag, Location, Retry-After",
    "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
}


class Origins:
    """The hosts and origins that the settings allow."""

    def __init__(self, settings: Settings) -> None:
        self._origins = settings.http_origins or ()
        self._hosts = {"localhost", socket.gethostname().lower(), settings.host.lower()}
        self._hosts |= {*(settings.http_hosts or ())}
        reaches_others = not is_loopback(settings.host) or settings.http_proxies is not None
        self._allows_any_host = settings.http_hosts is None and reaches_others
        self.check = lru_cache(_CACHED_CHECKS)(self._check)  # it does not keep what was raised

    def _check(self, host_value: bytes, origin_value: bytes) -> dict[str, str]:
        """The CORS headers of the response. Raises Problem (421 or 403).

        host_value, origin_value: of the two headers; empty if the request does not have them.
        """
        host, origin = (value.decode("latin-1").lower() for value in (host_value, origin_value))
        if not (self._allows_any_host or self._is_own(_name(host))):
            detail = f"This server does not answer to the name {_name(host)[:100]}. {_set('HOSTS')}"
            raise problems.of_status(421, detail)
        if not origin or _is_same(origin, host):
            return {}
        if "*" not in self._origins and origin not in self._origins:
            detail = f"Requests of web pages of {origin[:100]} are not allowed. {_set('ORIGINS')}"
            raise problems.of_status(403, detail)
        return {"Access-Control-Allow-Origin": origin, **_ALLOWED}

    def _is_own(self, name: str) -> bool:
        if not name or name in self._hosts or name.endswith(".localhost"):
            return True  # browsers always send Host; requests of HTTP/1.0 may have none
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _set(setting: str) -> str:
    return f"The request was not executed. To allow it, set BUSWARE_HTTP_{setting}."


def _name(host: str) -> str:
    """The name or address in the value of the header Host."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_same(origin: str, host: str) -> bool:
    """Whether an origin is that of the server. The scheme is not compared: a proxy may have removed TLS."""
    scheme, _, authority = origin.partition("://")
    port = _DEFAULT_PORTS.get(scheme)
    return authority in (host, host.removesuffix(f":{port}"))
