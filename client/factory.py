"""The doors: a client by TCP or by HTTP, plain or under TLS, as the host says."""

# ruff: noqa: PLR0913 - an argument for each thing that a caller may want otherwise

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from busware.connection import HOST, PORT, TIMEOUT_SECONDS, TRIES, Connection, OnNotification
from busware.sdk import Requests
from busware.server import tls

if TYPE_CHECKING:
    from busware.http_client import WebClient


class Client(Connection, Requests):
    """The requests over TCP."""


def secure(host: str, wanted: bool | None = None, authority: Path | None = None) -> ssl.SSLContext | None:
    """What TLS to speak with a host; None for plain. Raises OSError when the authority will not do.

    wanted: None to speak plain with this very machine alone. authority: who vouches for the server, a
    file of certificates; else whoever this machine trusts.
    """
    if wanted is None:
        wanted = not tls.is_loopback(host)
    return tls.client_context(authority) if wanted else None


def connect(
    host: str | None = None,
    port: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    *,
    tries: int = TRIES,
    on_notification: OnNotification | None = None,
    tls: bool | None = None,
    authority: Path | None = None,
    token: str | None = None,
) -> "Client | WebClient":
    """Connect to a server, and see that it is one.

    host: a name or an address; or http://host:port or https://host:port, to go by its HTTP port. Host and
    port are those of BUSWARE_HOST and BUSWARE_PORT unless told, or this machine's 9999.
    timeout_seconds: for the answer to a request, each time it is sent. tries: how often it is sent
    at most. on_notification: called with the method and the params of what the server tells by
    itself (over TCP), in the thread that reads; it must not call the client. tls: whether to speak TLS
    over TCP, which is so with every machine but this one unless told otherwise; the server is verified.
    authority: a file of certificates, by which to verify it instead of by the machine's. token: to be
    signed in by. Raises ConnectionLost, or Refusal when the server is too busy to take one more, or the
    token is worth nothing.
    """
    host = host or os.environ.get("BUSWARE_HOST", HOST)
    port = port or int(os.environ.get("BUSWARE_PORT", PORT))
    context = secure(host, host.startswith("https:") if "://" in host else tls, authority)
    client = of(
        host, port, timeout_seconds=timeout_seconds, tries=tries, tls=context, token=token,
        on_notification=on_notification,
    )  # fmt: skip
    try:
        client.ping()
    except BaseException:
        client.close()
        raise
    return client


def of(
    host: str,
    port: int,
    *,
    timeout_seconds: float,
    tries: int,
    tls: ssl.SSLContext | None,
    token: str | None,
    on_notification: OnNotification | None = None,
) -> "Client | WebClient":
    """The client of a host, by the one door or by the other; it has not connected yet. See connect()."""
    if "://" in host:
        from busware.http_client import WebClient  # only here: who goes by TCP need not wait for it to load

        return WebClient(host, timeout_seconds=timeout_seconds, tries=tries, tls=tls, token=token)
    return Client(
        host, port, timeout_seconds=timeout_seconds, tries=tries, on_notification=on_notification,
        tls=tls, token=token,
    )  # fmt: skip
