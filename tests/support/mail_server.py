"""A real mail server (aiosmtpd) on a free port, with TLS, that can fail as real ones do."""

import asyncio
import random
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from busware.server.settings import Settings

_FLAPPING = 0.1  # the part that fails in each way

USER, PASSWORD = "tickets", "secret of the mail server"


class MailServer:
    """What a mail server has received, and how it answers.

    answers: the answer to a command (RCPT, DATA, QUIT) instead of 250 or 221; several are given one after the
    other, the last one always. drops: the connection is lost after a mail was stored. hangs_at: the step that
    is not answered before `resume`: EHLO; DATA, before the mail is stored; or STORED. hanging: set when it is
    reached. flaps: a tenth of the mails is not accepted now, a tenth is stored and its connection lost, and a
    tenth of the connections is lost at the greeting.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, EmailMessage]] = []  # envelope sender, recipient, mail
        self.answers: dict[str, list[str]] = {}
        self.drops = self.flaps = False
        self._random = random.Random(1)
        self.hangs_at = ""
        self.hanging = threading.Event()
        self.users: list[str] = []
        self.port = 0
        self.ca = Path()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop, self._resumed = asyncio.Event(), asyncio.Event()

    def settings(self, **others: Any) -> Settings:
        """Settings of a Busware server that sends its mails here."""
        values: dict[str, Any] = {
            "smtp_host": "localhost",
            "smtp_port": self.port,
            "smtp_ca": self.ca,
            "smtp_security": "starttls",
            "mail_from": "Example Buses <tickets@example.org>",
        }
        return Settings(**(values | others))

    def environment(self, **others: str) -> dict[str, str]:
        """The same settings for a server in a process of its own."""
        return {
            "BUSWARE_SMTP_HOST": "localhost",
            "BUSWARE_SMTP_PORT": str(self.port),
            "BUSWARE_SMTP_CA": str(self.ca),
            "BUSWARE_MAIL_FROM": "Example Buses <tickets@example.org>",
            **others,
        }

    def resume(self) -> None:
        """Answer the step that hangs."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._resumed.set)

    # Called by aiosmtpd ------------------------------------------------------------------------

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        await self._hang("EHLO")
        if self.flaps and self._random.random() < _FLAPPING:
            server.transport.abort()
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._answer("RCPT")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await self._hang("DATA")
        chance = self._random.random() if self.flaps else 1.0
        answer = self._answer("DATA") if chance >= _FLAPPING else "451 4.3.0 Try again"
        if answer.startswith("250"):
            mail = BytesParser(policy=policy.default).parsebytes(envelope.original_content or b"")
            self.mails.append((envelope.mail_from or "", envelope.rcpt_tos[0], mail))
        await self._hang("STORED")
        if self.drops or _FLAPPING <= chance < 2 * _FLAPPING:
            server.transport.abort()
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.answers.get("QUIT", ["221 Bye"])[0]

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """Check a login."""
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.users += [USER] * is_right
        return AuthResult(success=is_right, handled=False)

    async def _hang(self, step: str) -> None:
        """Wait until `resume` or the end of the connection, if this step is not answered."""
        if step == self.hangs_at:
            self.hanging.set()
            await self._resumed.wait()

    def _answer(self, command: str) -> str:
        answers = self.answers.get(command) or ["250 OK"]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    # Life --------------------------------------------------------------------------------------

    @classmethod
    @contextmanager
    def open(
        cls, folder: Path, *, security: str = "starttls", name: str = "localhost"
    ) -> Iterator["MailServer"]:
        """Serve until the end of the `with`. security: as in the settings. name: in the certificate."""
        mail_server = cls()
        authority = trustme.CA()
        mail_server.ca = folder / "mail-ca.pem"
        authority.cert_pem.write_to_path(mail_server.ca)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        started = threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(mail_server._serve(context, security, started)), name="mail server"
        )
        thread.start()
        try:
            started.wait()
            yield mail_server
        finally:
            assert mail_server._loop is not None
            mail_server._loop.call_soon_threadsafe(mail_server._stop.set)
            thread.join()

    async def _serve(self, context: ssl.SSLContext, security: str, started: threading.Event) -> None:
        """Serve until `_stop` is set. asyncio.run then cancels the connections that are left."""
        self._loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            return SMTP(
                self,
                hostname="mail.example.org",
                enable_SMTPUTF8=True,
                tls_context=context if security == "starttls" else None,
                require_starttls=security == "starttls",
                authenticator=self.authenticate,
                auth_require_tls=security == "starttls",
                loop=self._loop,
            )

        of_connection = context if security == "tls" else None
        server = await self._loop.create_server(protocol, "localhost", 0, ssl=of_connection)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer.open(tmp_path) as opened:
        yield opened
