"""Mails over SMTP to a real mail server, with TLS, and what its failures mean."""

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from busware.server.mail.delivery import Bounced, NotAccepted, NotDelivered
from busware.server.mail.smtp import SmtpDelivery
from tests.support.mail_server import PASSWORD, USER, MailServer, mail_server  # noqa: F401 - a fixture

TO = "asha@example.net"
BOUNCES = "bounces@example.org"


def mail(to: str = TO) -> EmailMessage:
    """A mail."""
    made = EmailMessage(policy=SMTP)
    made["Subject"], made["From"], made["To"] = "A ticket – ಟಿಕೆಟ್", "tickets@example.org", to
    made["Message-ID"] = "<1@example.org>"
    made.set_content("Your seat: 7.\n")
    return made


def send(server: MailServer, to: str = TO, **settings: object) -> None:
    """Send a mail to a server."""
    SmtpDelivery(server.settings(**settings)).deliver(mail(to), BOUNCES, to)


def test_mail_arrives_over_starttls(mail_server: MailServer) -> None:  # noqa: F811
    send(mail_server, smtp_user=USER, smtp_password=PASSWORD)
    ((sender, to, received),) = mail_server.mails
    assert (sender, to, received["Message-ID"]) == (BOUNCES, TO, "<1@example.org>")
    assert received["Subject"] == "A ticket – ಟಿಕೆಟ್"
    assert mail_server.users == [USER]


def test_mail_arrives_over_tls(tmp_path: Path) -> None:
    with MailServer.open(tmp_path, security="tls") as server:
        send(server, smtp_security="tls")
        assert len(server.mails) == 1


def test_mail_arrives_without_encryption_if_the_setting_says_so(tmp_path: Path) -> None:
    with MailServer.open(tmp_path, security="none") as server:
        with pytest.raises(NotDelivered, match="STARTTLS"):
            send(server, smtp_security="starttls")
        send(server, smtp_security="none")
        assert len(server.mails) == 1


def test_certificate_of_another_server_is_not_accepted(tmp_path: Path) -> None:
    with MailServer.open(tmp_path, name="other.example.org") as server:
        with pytest.raises(NotDelivered, match="CERTIFICATE_VERIFY_FAILED"):
            send(server)
        assert server.mails == []


def test_unknown_authority_is_not_accepted(mail_server: MailServer) -> None:  # noqa: F811
    with pytest.raises(NotDelivered, match="CERTIFICATE_VERIFY_FAILED"):
        SmtpDelivery(mail_server.settings(smtp_ca=None)).deliver(mail(), BOUNCES, TO)


def test_wrong_password_is_tried_again(mail_server: MailServer) -> None:  # noqa: F811
    """The operator corrects the setting, and no mail is lost meanwhile."""
    with pytest.raises(NotDelivered, match="535"):
        send(mail_server, smtp_user=USER, smtp_password="another")


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("RCPT", "450 4.2.0 greylisted", NotDelivered),
        ("RCPT", "451 try again", NotDelivered),
        ("RCPT", "550 5.1.1 no such user", Bounced),
        ("RCPT", "550 relay not permitted", NotAccepted),
        ("RCPT", "550 5.2.1 disabled", Bounced),
        ("RCPT", "552 5.2.2 mailbox full", NotAccepted),
        ("RCPT", "550 5.7.1 relaying denied", NotAccepted),
        ("DATA", "451 4.3.0 disk full", NotDelivered),
        ("DATA", "554 5.6.0 refused as spam", NotAccepted),
    ],
)
def test_answer_says_what_becomes_of_the_mail(
    mail_server: MailServer,  # noqa: F811
    command: str,
    answer: str,
    error: type[Exception],
) -> None:
    mail_server.answers[command] = [answer]
    with pytest.raises((NotDelivered, NotAccepted)) as raised:
        send(mail_server)
    assert raised.type is error
    assert str(raised.value) == answer
    assert mail_server.mails == []


@pytest.mark.parametrize("answer", ["450 4.2.0 <{}>: greylisted", "550 5.1.1 <{}>: unknown, not {}"])
def test_answer_is_shown_without_the_address(mail_server: MailServer, answer: str) -> None:  # noqa: F811
    mail_server.answers["RCPT"] = [answer.format(TO, TO)]
    with pytest.raises((NotDelivered, NotAccepted)) as raised:
        send(mail_server)
    assert str(raised.value) == answer.format("a***@example.net", "a***@example.net")


def test_mail_is_sent_again_after_a_lost_connection(mail_server: MailServer) -> None:  # noqa: F811
    """The server has stored it and the answer is lost, so it arrives twice, with the same Message-ID."""
    mail_server.drops = True
    with pytest.raises(NotDelivered):
        send(mail_server)
    mail_server.drops = False
    send(mail_server)
    assert [received["Message-ID"] for _, _, received in mail_server.mails] == ["<1@example.org>"] * 2


def test_answer_to_quit_does_not_send_a_mail_again(mail_server: MailServer) -> None:  # noqa: F811
    mail_server.answers["QUIT"] = ["421 too busy"]
    send(mail_server)
    assert len(mail_server.mails) == 1


def test_silent_server_is_given_up_after_the_time_limit(mail_server: MailServer) -> None:  # noqa: F811
    mail_server.hangs_at = "EHLO"
    with pytest.raises(NotDelivered, match="timed out"):
        send(mail_server, smtp_seconds=0.2)


def test_server_that_is_not_there_is_tried_again(mail_server: MailServer) -> None:  # noqa: F811
    with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
        send(mail_server, smtp_port=1)


@pytest.mark.parametrize(
    ("to", "received_as"),
    [("आशा@example.net", "आशा@example.net"), ("asha@ಉದಾಹರಣೆ.example", "asha@xn--bsc6ci4b4b3a3d.example")],
)
def test_address_in_other_letters(
    mail_server: MailServer,  # noqa: F811
    to: str,
    received_as: str,
) -> None:
    send(mail_server, to)
    ((_, recipient, _),) = mail_server.mails
    assert recipient == received_as
