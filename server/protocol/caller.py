"""Structs that the modules of the server exchange: the caller of a request, and the answer to it."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from busware.server.protocol.refusals import Refusal
from busware.server.protocol.replies import Role


class ClientConnection(Struct, frozen=True, kw_only=True, rename={"protocol": "face"}):
    """A TCP connection of a client. A message to the operators names it, so that they can reply."""

    process_no: int | None = None
    connection_no: int = 0  # unique in the process
    client_no: int | None = None  # None until the connection is in table `clients`
    address: str | None = None  # with the port
    protocol: str = ""  # text or json; empty before the first line
    reference: str | None = None  # of the booking that was made or opened last
    account: str | None = None
    since: datetime | None = None  # when it connected


class Caller(Struct, frozen=True, kw_only=True):
    """The caller of a request: its address, and its account if it is signed in."""

    address: str = ""
    account: str | None = None
    role: Role = "guest"
    operator: str | None = None  # only for roles operator and agent: bus_info.operator of the services
    session: bytes | None = None  # the digest of the token
    connection: ClientConnection | None = None  # only for a message to the operators


class Answer(Struct, frozen=True):
    """What an `api` function returned: the JSON of a reply, or of a refusal if `refused`.

    caller: replaces the caller of the connection, if the request has signed it in or out.
    """

    body: msgspec.Raw
    refused: bool
    caller: Caller | None = None

    def refusal(self) -> Refusal:
        """The refusal in the body."""
        fields = msgspec.json.decode(self.body, type=dict[str, Any])
        return Refusal(fields.pop("reason"), fields.pop("message"), **fields)
