"""From a booking to the mail: events, outbox, carriers, a real mail server; bounces and new passwords."""

import email
import io
import re
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest
from pypdf import PdfReader

from busware.server.mail.carriers import MessageCarriers
from busware.server.outbox.worker import Outbox
from busware.server.settings import Settings
from tests.conftest import Clock, Database, LineClient
from tests.support.invoices import GST, put_invoicing
from tests.support.line_client import wait_until
from tests.support.mail_server import MailServer, mail_server  # noqa: F401 - a fixture
from tests.support.schema_api import SchemaApi
from tests.support.transcript import ASHA, TRAVEL_DAY

EMAIL = "asha@example.net"
ENCODED_WORDS = "=?utf-8?q?=0D=0ASubject=3A_Win?=.=?utf-8?q?=0D=0A=0D=0APay?=@evil.example"
PASSWORD, NEW_PASSWORD = "correct horse", "battery staple"
STATES = "SELECT state FROM outbox WHERE kind IN ('mail', 'sms') ORDER BY outbox_no"

OUTCOME = "SELECT error FROM outbox WHERE attempts > 0"

Send = Callable[..., None]


@pytest.fixture
def send(server: SimpleNamespace, database: Database) -> Iterator[Send]:
    """A function that publishes the events, and carries out the messages with some settings."""
    started: list[Outbox] = []

    def send(settings: Settings, states: list[str]) -> None:
        """Returns when the messages in the outbox have these states."""
        outbox = Outbox(server.pool, settings)
        carriers = MessageCarriers(server.pool, server.operations.accounts, settings)
        outbox.register("mail", carriers.carry_mail)
        outbox.register("sms", carriers.carry_sms)
        outbox.start()
        started.append(outbox)
        wait_until(lambda: database.query(STATES) == states)

    yield send
    for outbox in started:
        outbox.stop()


def book(client: LineClient, **fields: Any) -> dict[str, Any]:
    """Book a seat of service 1."""
    return client.call(
        "book",
        bus_id=1,
        travel_date=TRAVEL_DAY,
        origin="Bengaluru",
        destination="Mysuru",
        count=1,
        phone=ASHA,
        **fields,
    )


def refused_data(client: LineClient, method: str, **fields: Any) -> dict[str, Any]:
    """The reason and the data of a refusal."""
    data: dict[str, Any] = client.call(method, **fields)["data"]
    return data


QUICK = {"outbox_seconds": 0.05, "publish_ms": 1, "outbox_retry_seconds": 0.01}


def test_booking_sends_its_ticket(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
) -> None:
    booked = book(client_socket, email=EMAIL, language="kn")
    send(mail_server.settings(**QUICK), ["done"])
    ((sender, to, mail),) = mail_server.mails
    assert (sender, to) == ("tickets@example.org", EMAIL)
    assert booked["reference"] in mail["Subject"]
    assert "ಟಿಕೆಟ್" in mail["Subject"]
    assert mail["Message-ID"] == f"<{database.value('SELECT key FROM outbox')}@example.org>"
    assert {part.get_content_type() for part in mail.walk()} >= {"application/pdf", "text/calendar"}


def test_mails_have_the_invoices_so_far(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
) -> None:
    """The mail about a booking has its invoice; that about its cancellation has the credit note, too."""
    book(client_socket, email=EMAIL)
    database.query("SELECT api.publish_events()")
    database.query("SELECT api.add_operator('meera', 'hash', 'KSRTC')")
    put_invoicing(SchemaApi(database.conn), prefix="KA", tax=GST)
    booked = book(client_socket, email=EMAIL)
    database.query("SELECT api.publish_events()")
    client_socket.call("cancel", reference=booked["reference"], phone=ASHA)
    send(mail_server.settings(**QUICK), ["done"] * 3)
    found = {
        mail["Message-ID"]: [
            "".join(page.extract_text() for page in PdfReader(io.BytesIO(part.get_content())).pages)
            for part in mail.walk()
            if (part.get_filename() or "").startswith("invoice-")
        ]
        for _, _, mail in mail_server.mails
    }
    keys = database.query("SELECT key FROM outbox WHERE kind = 'mail' ORDER BY outbox_no")
    first, ticket, cancellation = (found[f"<{key}@example.org>"] for key in keys)
    assert first == []
    assert "KA-2026-000001" in ticket[0] and "KA-2026-C000001" not in ticket[0]
    assert "KA-2026-000001" in cancellation[0] and "KA-2026-C000001" in cancellation[0]


def test_mail_about_a_cancellation_says_what_it_cancels(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
) -> None:
    trip = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
    booked = client_socket.call("book", **trip, count=4, phone=ASHA, email=EMAIL)
    refunds, before = [], 0.0
    for tickets in ([1], [3, 2], None):
        some = {"tickets": tickets} if tickets else {}
        after = float(
            client_socket.call("cancel", reference=booked["reference"], phone=ASHA, **some)["refund"]
        )
        refunds.append(f"₹{after - before:.2f} is refunded.")
        before = after
    send(mail_server.settings(**QUICK), ["done"] * 4)
    texts = [plain_text(mail) for _, _, mail in mail_server.mails[1:]]
    said = ("Ticket 1 is cancelled.", "Tickets 2, 3 are cancelled.", "The booking is cancelled.")
    for text, cancelled, refund in zip(texts, said, refunds, strict=True):
        assert cancelled in text
        assert refund in text


def plain_text(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    text = mail.get_body(("plain",))
    assert text is not None
    return str(text.get_content()).replace("\r\n", "\n")


def test_mail_is_sent_again_with_the_same_message_id(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
    clock: Clock,
) -> None:
    mail_server.answers["DATA"] = ["451 4.3.0 disk full", "250 OK"]
    mail_server.answers["RCPT"] = ["450 4.2.0 greylisted", "250 OK"]
    book(client_socket, email=EMAIL)
    send(mail_server.settings(**QUICK), ["waiting"])
    for error in ("450 4.2.0 greylisted", "451 4.3.0 disk full", None):
        wait_until(lambda error=error: database.query(OUTCOME) == [error])  # type: ignore[misc]
        clock.advance(seconds=10)
    assert len(mail_server.mails) == 1


def test_mail_that_may_have_arrived_is_recognized_the_second_time(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
    clock: Clock,
) -> None:
    mail_server.drops = True
    book(client_socket, email=EMAIL)
    send(mail_server.settings(**QUICK), ["waiting"])
    wait_until(lambda: database.value("SELECT error IS NOT NULL FROM outbox"))
    mail_server.drops = False
    clock.advance(seconds=10)
    wait_until(lambda: database.query(STATES) == ["done"])
    first, second = (mail["Message-ID"] for _, _, mail in mail_server.mails)
    assert first == second


def test_address_that_the_server_refuses_gets_no_more_mail(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
) -> None:
    mail_server.answers["RCPT"] = ["550 5.1.1 no such user"]
    booked = book(client_socket, email=EMAIL)
    send(mail_server.settings(**QUICK), ["dead"])
    named = {"reference": booked["reference"], "phone": ASHA}
    shown = client_socket.call("booking", **named)["contact"]
    assert shown["bounce"] == "550 5.1.1 no such user"
    assert shown["bounced_at"]
    client_socket.call("cancel", **named)
    corrected = client_socket.call(
        "set_contact", **named | {"reference": book(client_socket)["reference"]}, email="ravi@example.net"
    )
    assert "bounce" not in corrected["contact"]
    mail_server.answers.clear()
    send(mail_server.settings(**QUICK), ["dead", "done"])


def test_address_with_an_encoded_word_gets_no_mail(
    client_socket: LineClient, send: Send, tmp_path: Any, database: Database
) -> None:
    """Such an address, which a request may not have, would add headers to the mail."""
    book(client_socket, email=EMAIL)
    database.query("UPDATE contacts SET email = %s", ENCODED_WORDS)
    send(Settings(data=tmp_path, **QUICK), ["dead"])
    assert not list(tmp_path.rglob("*.eml"))


def test_refused_content_is_no_bounce(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
) -> None:
    mail_server.answers["DATA"] = ["554 5.6.0 refused as spam"]
    book(client_socket, email=EMAIL)
    send(mail_server.settings(**QUICK), ["dead"])
    assert database.value("SELECT count(*) FROM bounces") == 0
    assert database.value("SELECT error FROM outbox") == "554 5.6.0 refused as spam"


def test_messages_are_files_without_settings(
    client_socket: LineClient, send: Send, tmp_path: Any, database: Database
) -> None:
    booked = book(client_socket, email=EMAIL, sms=True)
    send(Settings(data=tmp_path, **QUICK), ["done", "done"])
    (mail,) = (tmp_path / "mail").glob("*.eml")
    parsed = email.message_from_bytes(mail.read_bytes(), policy=policy.default)
    assert (parsed["To"], booked["reference"] in parsed["Subject"]) == (EMAIL, True)
    (sms,) = (tmp_path / "mail").glob("*.txt")
    assert sms.read_text().startswith(
        f"To: +919845012345\n\nBooked: {booked['reference']}, Bengaluru – Mysuru"
    )
    assert mail.stat().st_mode & 0o077 == 0 or mail.parent.stat().st_mode & 0o077 == 0


def test_address_gets_few_mails_in_an_hour(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
    clock: Clock,
) -> None:
    """The third mail waits until an hour after the first one. Other addresses do not wait."""
    book(client_socket, email=EMAIL)
    settings = mail_server.settings(**QUICK, mails_per_address=2)
    send(settings, ["done"])
    clock.advance(minutes=20)
    for address in (EMAIL, EMAIL.upper(), "ravi@example.net"):
        book(client_socket, email=address)
    error = "SELECT error FROM outbox WHERE state = 'waiting' AND error IS NOT NULL"
    assert wait_until(lambda: database.query(error)) == ["mails were sent to the address 2 times in an hour"]
    wait_until(lambda: sorted(database.query(STATES)) == ["done"] * 3 + ["waiting"])
    clock.advance(minutes=40)
    wait_until(lambda: database.query(STATES) == ["done"] * 4)


@pytest.mark.parametrize(
    ("booking_url", "how"),
    [
        (None, "To answer, start scripts/client and type: offer {}"),
        (
            "https://example.org/b?r={reference}",
            "To answer, open this address:\n\nhttps://example.org/b?r={}",
        ),
    ],
)
def test_mail_about_an_offer_says_how_to_answer(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    database: Database,
    booking_url: str | None,
    how: str,
) -> None:
    database.query("SELECT api.add_operator('conductor', 'hash', 'KSRTC')")
    database.query("UPDATE bus_info SET whole_refund_delay = interval '1 hour'")
    booked = book(client_socket, email=EMAIL)
    SchemaApi(database.conn).write(
        "delay_trip", bus_id=1, travel_date=TRAVEL_DAY, account="conductor", minutes=90
    )
    send(mail_server.settings(**QUICK, booking_url=booking_url), ["done", "done"])
    assert how.format(booked["reference"]) in plain_text(mail_server.mails[1][2])


# New passwords ---------------------------------------------------------------------------------


def token_in(mail: EmailMessage) -> str:
    """The token of a mail that sets a new password."""
    (token,) = re.findall(r"reset-password ([0-9a-f]+)", plain_text(mail))
    return str(token)


@pytest.fixture
def account(client_socket: LineClient) -> str:
    """The username of an account with an e-mail address."""
    client_socket.call("register", username="asha", password=PASSWORD, email=EMAIL, language="en")
    client_socket.call("logout")
    return "asha"


@pytest.mark.parametrize("named", ["asha", "ASHA", EMAIL, EMAIL.upper()])
def test_new_password_by_mail(
    client_socket: LineClient,
    connect: Callable[[], LineClient],
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
    named: str,
) -> None:
    elsewhere = connect()
    elsewhere.call("login", username=account, password=PASSWORD)
    assert client_socket.call("request_reset", account=named) == {}
    send(mail_server.settings(**QUICK), ["done"])
    token = token_in(mail_server.mails[0][2])
    signed_in = client_socket.call("reset_password", reset_token=token, password=NEW_PASSWORD)
    assert (signed_in["username"], signed_in["role"]) == (account, "traveller")
    assert client_socket.call("bookings") == {"bookings": []}
    assert refused_data(connect(), "login", username=account, password=PASSWORD)["reason"] == "wrong_password"
    connect().call("login", username=account, password=NEW_PASSWORD)
    again = refused_data(client_socket, "reset_password", reset_token=token, password=PASSWORD)
    assert again["reason"] == "wrong_password"  # a token is valid once


def test_unknown_account_gets_the_same_answer(client_socket: LineClient, database: Database) -> None:
    assert client_socket.call("request_reset", account="nobody@example.org") == {}
    assert database.value("SELECT count(*) FROM outbox") == 0


def test_token_expires(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
    clock: Clock,
) -> None:
    client_socket.call("request_reset", account=account)
    send(mail_server.settings(**QUICK), ["done"])
    token = token_in(mail_server.mails[0][2])
    clock.advance(minutes=61)
    refused = refused_data(client_socket, "reset_password", reset_token=token, password=NEW_PASSWORD)
    assert refused["reason"] == "wrong_password"
    client_socket.call("login", username=account, password=PASSWORD)


@pytest.mark.parametrize("ends", [True, False])
def test_new_address_ends_the_tokens_sent_to_the_old_one(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
    ends: bool,
) -> None:
    client_socket.call("request_reset", account=account)
    send(mail_server.settings(**QUICK), ["done"])
    token = token_in(mail_server.mails[0][2])
    client_socket.call("login", username=account, password=PASSWORD)
    client_socket.call("set_email", password=PASSWORD, email="new@example.org" if ends else EMAIL)
    client_socket.call("logout")
    answer = client_socket.call("reset_password", reset_token=token, password=NEW_PASSWORD)
    assert answer.get("data", {}).get("reason") == ("wrong_password" if ends else None)


def test_new_password_ends_the_tokens(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
    database: Database,
) -> None:
    client_socket.call("request_reset", account=account)
    send(mail_server.settings(**QUICK), ["done"])
    assert database.value("SELECT api.change_password('asha', 'another hash')")
    assert database.value("SELECT count(*) FROM password_resets") == 0


def test_database_stores_no_token(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
    database: Database,
) -> None:
    client_socket.call("request_reset", account=account)
    send(mail_server.settings(**QUICK), ["done"])
    token = token_in(mail_server.mails[0][2])
    rows = [database.query(f"SELECT t::text FROM {name} t") for name in ("outbox", "password_resets")]
    assert token not in str(rows)


def test_accounts_with_one_address_get_one_mail(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
) -> None:
    client_socket.call("register", username="ravi", password=PASSWORD, email=EMAIL.upper(), language="en")
    client_socket.call("logout")
    client_socket.call("request_reset", account=EMAIL)
    send(mail_server.settings(**QUICK), ["done"])
    ((_, _, mail),) = mail_server.mails
    assert mail["Subject"] == "New passwords for asha, ravi"
    text = plain_text(mail)
    tokens = dict(re.findall(r"^(asha|ravi):\n\n.*reset-password ([0-9a-f]+)$", text, re.MULTILINE))
    for username, token in tokens.items():
        signed_in = client_socket.call("reset_password", reset_token=token, password=NEW_PASSWORD)
        assert signed_in["username"] == username
    assert set(tokens) == {"asha", "ravi"}


def test_bounced_mail_with_a_new_password_blocks_its_address(
    client_socket: LineClient,
    send: Send,
    mail_server: MailServer,  # noqa: F811
    account: str,
    database: Database,
) -> None:
    mail_server.answers["RCPT"] = ["550 5.1.1 no such user"]
    client_socket.call("request_reset", account=account)
    send(mail_server.settings(**QUICK), ["dead"])
    assert database.query("SELECT address FROM bounces") == [EMAIL]


def test_account_gets_few_mails(client_socket: LineClient, account: str, database: Database) -> None:
    for named in (account, EMAIL) * (Settings.resets_per_account + 2):
        assert client_socket.call("request_reset", account=named) == {}
    assert database.value("SELECT count(*) FROM outbox") == Settings.resets_per_account


@pytest.mark.settings(resets_per_address=2)
def test_address_requests_few_mails(client_socket: LineClient) -> None:
    for n in range(2):
        client_socket.call("request_reset", account=f"user{n}")
    refused = refused_data(client_socket, "request_reset", account="another")
    assert (refused["reason"], refused["limit"]) == ("not_allowed", 2)


def test_new_address_of_an_account_needs_the_password(client_socket: LineClient, account: str) -> None:
    assert (
        refused_data(client_socket, "set_email", password=PASSWORD, email=EMAIL)["reason"] == "not_signed_in"
    )
    client_socket.call("login", username=account, password=PASSWORD)
    wrong = refused_data(client_socket, "set_email", password="another one", email="thief@example.org")
    assert wrong["reason"] == "wrong_password"
    client_socket.call("set_email", password=PASSWORD, email="new@example.org")
    assert book(client_socket)["contact"] == {"email": "n***@example.org"}


# Addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "asha@example.org\nBcc: victim@example.org",
        "asha@example.org\r\nSubject: x",
        "asha@example.org, victim@example.org",
        "Asha <asha@example.org>",
        "asha",
        "asha@localhost",
        "asha@example..org",
        ENCODED_WORDS,
        "asha@-example.org",
        f"{'a' * 65}@example.org",
        f"asha@{'a' * 64}.org",
        "asha@" + "a." * 130 + "org",
    ],
)
def test_wrong_address_is_refused(client_socket: LineClient, address: str) -> None:
    trip = {"bus_id": 1, "travel_date": TRAVEL_DAY, "origin": "Bengaluru", "destination": "Mysuru"}
    refused = refused_data(client_socket, "book", **trip, count=1, phone=ASHA, email=address)
    assert (refused["reason"], refused["field"]) == ("bad_request", "email")


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("आशा@example.org", "आशा@example.org"),
        ("asha+bus@Example.ORG", "asha+bus@example.org"),
        ("asha@ಉದಾಹರಣೆ.example", "asha@ಉದಾಹರಣೆ.example"),
        ("asha@XN--BSC6CI4B4B3A3D.example", "asha@ಉದಾಹರಣೆ.example"),
    ],
)
def test_address_in_any_letters_is_taken(
    client_socket: LineClient, database: Database, address: str, stored: str
) -> None:
    book(client_socket, email=address)
    assert database.value("SELECT email FROM contacts") == stored
