"""The subcommand health: sends `GET /readyz` to the running server with the same settings.

It imports little, because a container runs it every few seconds.
"""

import http.client
import ssl
from contextlib import suppress

from busware.server.command_line import Parser
from busware.server.installation import subcommand
from busware.server.output import NotShown, complain, show
from busware.server.settings import Settings

TIMEOUT_SECONDS = 5
EXIT_NOT_READY = 1


class NotReady(Exception):
    """The server does not answer, or answers that it cannot serve. The message says which."""


def check(settings: Settings) -> None:
    """Return if the server is ready. Raises NotReady."""
    address = (settings.host, settings.http_port)
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
    if settings.tls_cert:
        context = ssl.create_default_context()
        context.check_hostname = False  # the certificate has the public host name, which may differ
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(*address, timeout=TIMEOUT_SECONDS, context=context)
    try:
        connection.request("GET", "/readyz")
        reply = connection.getresponse()
        text = reply.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise NotReady(f"no answer from {settings.host}:{settings.http_port}: {error}") from error
    finally:
        connection.close()
    if reply.status != http.client.OK:
        raise NotReady(f"GET /readyz answers {reply.status}: {text}")


def main(arguments: list[str]) -> None:
    """Check the running server, and print the result. Raises SystemExit if it is not ready."""
    Parser(
        prog=subcommand("health"),
        description="Check whether the running server and its database are ready. Exit status: 0 yes, 1 no.",
    ).parse_args(arguments)
    settings = Settings.load()
    try:
        check(settings)
    except NotReady as error:
        complain(f"busware: {error}")
        raise SystemExit(EXIT_NOT_READY) from None
    with suppress(NotShown):  # the exit status says it too
        show(f"The server on {settings.host}:{settings.http_port} is ready.")
