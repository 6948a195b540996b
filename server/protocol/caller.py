"""Who asks, and what was decided: what goes with a request and a reply inside the server."""

from typing import Any

import msgspec
from msgspec import Struct

from busware.server.protocol.refusals import Refusal
from busware.server.protocol.replies import Role


class ClientConnection(Struct, frozen=True, kw_only=True):
    """The TCP connection of a caller, to which operators can send a reply later."""

    process_no: int | None
    connection_no: int  # unique in the process
    address: str  # with the port
    protocol: str  # text or json
    reference: str | None  # of the booking it made or opened last


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks. address: from where. session: what the token is known by that they are signed in with.

    connection: of the sender of a message.
    """

    address: str = ""
    account: str | None = None
    role: Role = "guest"
    operator: str | None = None  # whose services an operator runs
    session: bytes | None = None
    connection: ClientConnection | None = None


class Answer(Struct, frozen=True):
    """What an `api` function decided: `body` is a reply's JSON, or a refusal's when `refused`.

    caller: who is asking from now on, where the request has changed that.
    """

    body: msgspec.Raw
    refused: bool
    caller: Caller | None = None

    def refusal(self) -> Refusal:
        """The refusal that the body of a refused answer tells."""
        told = msgspec.json.decode(self.body, type=dict[str, Any])
        return Refusal(told.pop("reason"), told.pop("message"), **told)
