# Generated from async_factory.py by scripts/generate: edit that file.
"""connect(): a synchronous client over TCP or HTTP, with or without TLS."""

# ruff: noqa: PLR0913 – one parameter for each option

import os
from pathlib import Path
from typing import Any

from busware.retries import DEFAULT_TRIES, HOST, PORT, TIMEOUT_SECONDS, OnNotification, tls_context
from busware.sdk import Client


def connect(
    host: str | None = None,
    port: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    *,
    tries: int = DEFAULT_TRIES,
    on_notification: OnNotification | None = None,
    tls: bool | None = None,
    authority: Path | None = None,
    token: str | None = None,
) -> Client:
    """Connect to a server, and check with a `ping` that it is a Busware server.

        with connect() as busware:
            trips = busware.search("Bengaluru", "Mysuru", busware.today())

    host: a host name or an address for the TCP port, or http://host:port or https://host:port for the HTTP
    port. host and port default to BUSWARE_HOST and BUSWARE_PORT, then to 127.0.0.1 and 9999.
    timeout_seconds: how long each try waits for its reply. tries: the maximum number of times a request is
    sent. on_notification: called over TCP with the method and the params of each notification, by the thread
    that reads the connection; it must not wait for a call of this client. tls: whether to use TLS over TCP;
    the default is to use it for every host but this machine. authority: a file of certificates to verify the
    server with, instead of the machine's. token: signs in. Raises ConnectionLost, or Refusal if the server
    has too many clients or the token is not valid.
    """
    host = host or os.environ.get("BUSWARE_HOST", HOST)
    port = port or int(os.environ.get("BUSWARE_PORT", PORT))
    client = new_client(
        host, port, timeout_seconds=timeout_seconds, tries=tries, tls=tls_context(host, tls, authority),
        token=token, on_notification=on_notification,
    )  # fmt: skip
    try:
        client.ping()
    except BaseException:
        client.close()
        raise
    return client


def new_client(
    host: str,
    port: int,
    *,
    on_notification: OnNotification | None = None,
    **options: Any,
) -> Client:
    """A client that has not connected yet: over HTTP if the host is a URL, else over TCP."""
    if "://" in host:
        from busware.http_client import HttpClient  # not needed over TCP

        return HttpClient(host, **options)
    return Client(host, port, on_notification=on_notification, **options)
