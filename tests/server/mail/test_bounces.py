"""Reports about mails that came back, and the subcommand `bounce`."""

import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from busware.server.mail.bounces import Bounce, read_bounce
from tests.conftest import Database
from tests.support.schema_api import SchemaApi

KEY = UUID("0c1e6bfb-33f2-4d0a-9f29-9a2d0d0b9a55")
EMAIL = "asha@example.net"
ORIGINAL = f"""\
From: tickets@example.org
To: {EMAIL}
Subject: Ticket
Message-ID: <{KEY}@example.org>
"""


def report(
    *,
    action: str = "failed",
    status: str = "5.1.1",
    recipient: str = f"Final-Recipient: rfc822; {EMAIL}",
    original: str = ORIGINAL,
    original_type: str = "text/rfc822-headers",
) -> bytes:
    """A delivery status notification, as Postfix writes it."""
    return f"""\
From: MAILER-DAEMON@mail.example.net (Mail Delivery System)
To: bounces@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.net
Arrival-Date: Mon, 30 Nov 2026 09:00:00 +0530

{recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <{EMAIL}>: user
    unknown

--b
Content-Type: {original_type}

{original}

--b--
""".encode()


def test_report_names_the_mail_the_address_and_the_reason() -> None:
    reason = "5.1.1 smtp; 550 5.1.1 <a***@example.net>: user unknown"
    assert read_bounce(report()) == Bounce(KEY, EMAIL, reason)


def test_mail_that_is_returned_as_a_whole() -> None:
    whole = f"{ORIGINAL}Content-Type: text/plain\n\nYour ticket."
    found = read_bounce(report(original=whole, original_type="message/rfc822"))
    assert found is not None
    assert (found.key, found.address) == (KEY, EMAIL)


@pytest.mark.parametrize("domain", ["xn--bsc6ci4b4b3a3d.example", "ಉದಾಹರಣೆ.example"])
def test_domain_of_a_report_is_compared_in_its_letters(domain: str) -> None:
    found = read_bounce(report(recipient=f"Final-Recipient: rfc822; asha@{domain}"))
    assert found is not None
    assert found.address == "asha@ಉದಾಹರಣೆ.example"


def test_original_recipient_counts_after_a_forward() -> None:
    recipient = f"Original-Recipient: rfc822;{EMAIL}\nFinal-Recipient: rfc822; other@example.com"
    found = read_bounce(report(recipient=recipient))
    assert found is not None
    assert found.address == EMAIL


@pytest.mark.parametrize(
    "message",
    [
        report(action="delayed", status="4.4.1"),
        report(action="delivered", status="2.0.0"),
        report(status="4.2.2"),
        report(status="5.2.2"),  # a full mailbox
        report(status="5.7.1"),  # refused as spam
        report(original=""),
        report(original="Message-ID: <1@example.org>\n"),
        report(recipient="X-Nothing: here"),
        b"From: asha@example.net\nSubject: Out of office\n\nI am away.\n",
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n",
    ],
)
def test_other_mails_are_no_bounce(message: bytes) -> None:
    assert read_bounce(message) is None


# The subcommand --------------------------------------------------------------------------------


def run(database: Database, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run busware-server bounce."""
    command = [sys.executable, "-m", "busware.server", "bounce", *arguments]
    environment = {
        "DATABASE_URL": database.server,
        "BUSWARE_OWNER_URL": database.owner,
        "PATH": "/usr/bin:/bin",
    }
    return subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)


@pytest.fixture
def sent(api: SchemaApi, database: Database) -> Any:
    """A mail was sent to EMAIL; its report."""
    api.book(1, email=EMAIL)
    database.query("SELECT api.publish_events()")
    key = database.value("SELECT key FROM outbox")
    return report(original=ORIGINAL.replace(str(KEY), str(key)))


def test_report_is_piped_to_the_command(database: Database, sent: bytes) -> None:
    done = run(database, stdin=sent)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(f"{EMAIL} gets no more mail: 5.1.1".encode())
    assert database.query("SELECT address FROM bounces") == [EMAIL]
    assert EMAIL.encode() in run(database, "--list").stdout
    assert run(database, "--forget", EMAIL.upper()).returncode == 0
    assert database.value("SELECT count(*) FROM bounces") == 0
    again = run(database, "--forget", EMAIL)
    assert (again.returncode, again.stderr) == (1, f"busware: {EMAIL} has not bounced.\n".encode())


def test_forged_report_changes_nothing(database: Database, sent: bytes) -> None:
    for message in (report(), sent.replace(EMAIL.encode(), b"victim@example.net")):
        done = run(database, stdin=message)
        assert done.returncode == 0
        assert b"Nothing was changed" in done.stdout
    assert database.value("SELECT count(*) FROM bounces") == 0


def test_mail_server_tries_again_without_a_database(database: Database, sent: bytes) -> None:
    command = [sys.executable, "-m", "busware.server", "bounce"]
    url = "postgresql://nobody@localhost:1/none"
    environment = {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, input=sent, capture_output=True, env=environment, check=False)
    assert done.returncode == 75
    assert b"the database" in done.stderr
