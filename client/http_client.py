"""The same requests over HTTP: each is the resource that it says it is, and its reply the same struct.

One connection, kept open; what fails is sent again with the same key, as over TCP. The server tells
nothing by itself here: whoever wants to hear of a change asks again.
"""

import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from busware.connection import TIMEOUT_SECONDS, TRIES, Connection
from busware.sdk import Requests
from busware.server.protocol import INTERNAL_ERROR, Refusal, Request
from busware.server.protocol.jsonrpc import RpcError

Reply = TypeVar("Reply")

_MEMBERS = ("type", "title", "status", "detail", "reason")  # of a problem; the rest is data


class WebClient(Connection, Requests):
    """The requests over HTTP, at the URL of a server; for the rest, see Connection."""

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        tries: int = TRIES,
        tls: ssl.SSLContext | None = None,
        token: str | None = None,
    ) -> None:
        split = urlsplit(url)
        secure = split.scheme == "https"
        super().__init__(
            split.hostname or "",
            split.port or (443 if secure else 80),
            timeout_seconds=timeout_seconds,
            tries=tries,
            tls=tls if secure else None,
            token=token,
        )
        self._base = split.path.rstrip("/")
        self._http: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the connection for good; a call that waits in another thread raises ConnectionLost."""
        self._closed.set()
        self._wake()
        if self._turn.acquire(blocking=False):  # else whoever waits hangs up
            self._hang_up()
            self._turn.release()

    def _wake(self) -> None:
        """End what is being waited for; to close the socket under whoever waits would not."""
        line = self._http
        if line is not None and line.sock is not None:
            with contextlib.suppress(OSError):  # it has ended
                # an SSLSocket's own would forget its TLS, and whoever is about to read or write meet None
                socket.socket.shutdown(line.sock, socket.SHUT_RDWR)

    def _reach(self, request: Request) -> None:
        if self._http is not None:
            return
        self._http = (
            http.client.HTTPConnection(self.host, self.port, timeout=self._timeout)
            if self._tls is None
            else http.client.HTTPSConnection(self.host, self.port, timeout=self._timeout, context=self._tls)
        )
        try:
            self._http.connect()
        except OSError:
            self._hang_up()
            raise
        if self._closed.is_set():  # meanwhile, by another thread
            self._wake()

    def _exchange(self, request: Request, reply_type: type[Reply]) -> Reply:
        if self._http is None:
            raise ConnectionError("there is no connection")
        method, path, body, headers = parts(request)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            self._http.request(method, self._base + path, body, headers)
            response = self._http.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            raise ConnectionError(str(error) or type(error).__name__) from error
        except BaseException:  # Ctrl-C too: the answer that is on its way is nobody's now
            self._hang_up()
            raise
        if response.status >= http.client.BAD_REQUEST:
            raise _problem(answer)
        return msgspec.json.decode(answer, type=reply_type)

    def _hang_up(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = None


def parts(request: Request) -> tuple[str, str, bytes | None, dict[str, str]]:
    """A request as HTTP has it: method, path with its query, body, headers."""
    method, path = request.resource.split(" ")
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(request))
    headers = {"Accept": "application/json"}
    if key := fields.pop("key", None):
        headers["Idempotency-Key"] = key
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", quote(str(fields.pop(name)), safe=""))
    if method in ("GET", "DELETE"):
        return method, path + _query(fields), None, headers
    headers["Content-Type"] = "application/json"
    return method, path, msgspec.json.encode(fields), headers


def _query(fields: Mapping[str, Any]) -> str:
    """A query of them, or nothing."""
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in fields.items()}
    return "?" + urlencode(texts, doseq=True) if texts else ""


def _problem(body: bytes) -> Refusal | RpcError:
    """What an answer that is an error tells. Raises msgspec.DecodeError when it is none of Busware's."""
    told = msgspec.json.decode(body, type=dict[str, Any])
    data = {name: value for name, value in told.items() if name not in _MEMBERS}
    message = str(told.get("detail", "The server answers with an error."))
    if "reason" in told:
        return Refusal(told["reason"], message, **data)
    return RpcError(INTERNAL_ERROR, message, data)
