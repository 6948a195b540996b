"""The protocol: requests, replies, reasons of refusals, and their JSON-RPC encoding.

A request is a frozen struct. Its class has the method, the reply, whether it writes, and the HTTP resource
(the fields that are not in the path are the query of a GET or DELETE, else the body). The type of a field has
a description, which error messages, server/PROTOCOL.md and the OpenAPI document contain. This package
imports nothing else of the project.

fields    types of fields         requests, service_requests  a class for each method
replies   a class for each reply
refusals  reasons of refusals     caller    callers and answers         jsonrpc   bytes ↔ structs
text      cleaning and comparing of texts               services  a service as a document
currencies  decimals of currencies
operator_requests, operator_replies  the same for operators
agents    agents and their settlements                  staff     accounts of agents, operators and admins
events    the log of events
payments  payments to a provider                        invoices  invoices, taxes, accounts of money
webhooks, webhook_events  webhooks, what is sent       messages  the messages about a booking
"""

from busware.server.protocol.agents import *  # noqa: F403
from busware.server.protocol.caller import *  # noqa: F403
from busware.server.protocol.events import *  # noqa: F403
from busware.server.protocol.fields import *  # noqa: F403
from busware.server.protocol.invoices import *  # noqa: F403
from busware.server.protocol.messages import *  # noqa: F403
from busware.server.protocol.operator_replies import *  # noqa: F403
from busware.server.protocol.operator_requests import *  # noqa: F403
from busware.server.protocol.payments import *  # noqa: F403
from busware.server.protocol.refusals import *  # noqa: F403
from busware.server.protocol.replies import *  # noqa: F403
from busware.server.protocol.requests import *  # noqa: F403
from busware.server.protocol.service_requests import *  # noqa: F403
from busware.server.protocol.services import *  # noqa: F403
from busware.server.protocol.staff import *  # noqa: F403
from busware.server.protocol.text import *  # noqa: F403
from busware.server.protocol.webhook_events import *  # noqa: F403
from busware.server.protocol.webhooks import *  # noqa: F403

JSONRPC = "2.0"
SERVER = "busware"
VERSION = "0.2.0"  # also of the package: pyproject.toml reads it here
