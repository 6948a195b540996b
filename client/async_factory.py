"""connect_async(): an asynchronous client over TCP or HTTP, plain or under TLS, as the host says."""

# ruff: noqa: PLR0913 - an argument for each thing that a caller may want otherwise

import os
import ssl
from pathlib import Path

from busware.async_sdk import AsyncClient
from busware.retries import DEFAULT_TRIES, HOST, PORT, TIMEOUT_SECONDS, OnNotification, tls_context


async def connect_async(
    host: str | None = None,
    port: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    *,
    tries: int = DEFAULT_TRIES,
    on_notification: OnNotification | None = None,
    tls: bool | None = None,
    authority: Path | None = None,
    token: str | None = None,
) -> AsyncClient:
    """Connect to a server, and see that it is one.

        async with await connect_async() as busware:
            trips = await busware.search("Bengaluru", "Mysuru", await busware.today())

    host: a name or an address; or http://host:port or https://host:port, to go by its HTTP port. Host and
    port are those of BUSWARE_HOST and BUSWARE_PORT unless given, or 9999 on this machine.
    timeout_seconds: for the reply to a request, each time it is sent. tries: how often it is sent
    at most. on_notification: called with the method and the params of what the server sends unasked (over
    TCP), where the connection is read; it must not wait for the client. tls: whether to speak TLS over TCP,
    which is so with every machine but this one unless given; the server is verified. authority: a file of
    certificates, by which to verify it instead of by the machine's. token: to be signed in by. Raises
    ConnectionLost, or Refusal when the server is too busy for one more client, or the token is not valid.
    """
    host = host or os.environ.get("BUSWARE_HOST", HOST)
    port = port or int(os.environ.get("BUSWARE_PORT", PORT))
    client = new_client(
        host, port, timeout_seconds=timeout_seconds, tries=tries, tls=tls_context(host, tls, authority),
        token=token, on_notification=on_notification,
    )  # fmt: skip
    try:
        await client.ping()
    except BaseException:
        await client.close()
        raise
    return client


def new_client(
    host: str,
    port: int,
    *,
    timeout_seconds: float,
    tries: int,
    tls: ssl.SSLContext | None,
    token: str | None,
    on_notification: OnNotification | None = None,
) -> AsyncClient:
    """A client that has not connected yet: over HTTP if the host is a URL, else over TCP."""
    if "://" in host:
        from busware.async_http_client import (
            AsyncHttpClient,
        )  # here, since a client over TCP does not need it

        return AsyncHttpClient(host, timeout_seconds=timeout_seconds, tries=tries, tls=tls, token=token)
    return AsyncClient(
        host, port, timeout_seconds=timeout_seconds, tries=tries, on_notification=on_notification,
        tls=tls, token=token,
    )  # fmt: skip
