"""The protocol: every request, every reply, every reason for a refusal, and their JSON-RPC encoding.

A request is a frozen struct; its class says its method, its reply, whether it writes, and its HTTP resource
(fields that are not in the path are the query of a GET or DELETE, else the body). A function of schema
`api` builds the reply, which passes through the server as JSON; the reply structs document it, check it in
tests, and are what the client decodes. The type of each field carries a description of what it takes: the
same text serves error messages, server/PROTOCOL.md and the OpenAPI description. Imports nothing else of
the project.

fields    types of fields       requests  a class for each method      replies   what answers them
refusals  the reasons           caller    who asks, what was decided   jsonrpc   bytes ↔ structs
"""

from busware.server.protocol.caller import *  # noqa: F403
from busware.server.protocol.fields import *  # noqa: F403
from busware.server.protocol.refusals import *  # noqa: F403
from busware.server.protocol.replies import *  # noqa: F403
from busware.server.protocol.requests import *  # noqa: F403

JSONRPC = "2.0"
SERVER = "busware"
VERSION = "0.2.0"  # of the package too: pyproject.toml reads it here
