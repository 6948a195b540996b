"""The subcommand health: asks the running server of the same settings for `GET /readyz`.

It loads little, since a container runs it every few seconds.
"""

import argparse
import http.client
import ssl
import sys

from busware.server.installation import subcommand
from busware.server.settings import Settings

TIMEOUT_SECONDS = 5
NOT_READY = 1  # exit status


class NotReady(Exception):
    """The server does not answer, or says that it cannot serve. The message says which."""


def check(settings: Settings) -> None:
    """Return when the server is ready. Raises NotReady."""
    address = (settings.host, settings.http_port)
    if settings.tls_cert:
        context = ssl.create_default_context()
        context.check_hostname = False  # the certificate names the public host, which this one need not be
        context.verify_mode = ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            *address, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
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
    """Check the running server. Raises SystemExit when it is not ready."""
    argparse.ArgumentParser(
        prog=subcommand("health"),
        description="Ask the running server whether it and its database are ready. Exit status: 0 yes, 1 no.",
    ).parse_args(arguments)
    try:
        check(Settings.load())
    except NotReady as error:
        print(f"busware: {error}", file=sys.stderr)
        raise SystemExit(NOT_READY) from None
