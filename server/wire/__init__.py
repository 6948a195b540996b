"""The vocabulary of the wire: every request, every reply, every reason for a refusal.

A request is a frozen struct; its class says its method, what answers it, whether it writes, and which
resource it is over HTTP (what its path does not name is the query of a GET or DELETE, else the body).
A reply is built by the function of schema `api` that decides it and passes through the server as
the JSON it already is; the reply structs document it, check it in tests, and are what the client
decodes. Each field's type carries, as its description, what the field takes: the same words serve
error messages, server/PROTOCOL.md and the HTTP description. Imports nothing of the house.

fields    what fields take        request   what every request has    methods   a class for each request
replies   what answers them       refusals  the reasons               asking    who asks, what was decided
"""

from server.wire.asking import *  # noqa: F403
from server.wire.fields import *  # noqa: F403
from server.wire.methods import *  # noqa: F403
from server.wire.refusals import *  # noqa: F403
from server.wire.replies import *  # noqa: F403
from server.wire.request import *  # noqa: F403

JSONRPC = "2.0"
SERVER = "busware"
VERSION = "0.1.0"  # that of pyproject.toml
