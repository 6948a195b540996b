"""Delivers a mail to the operator's mail server (SMTP, RFC 5321).

A connection is made for each mail: mails are few, and a connection that is kept would be cut while it idles.
An answer that begins with 4 and a connection that fails or is silent mean: again later. An answer that begins
with 5 to the recipient's address means that the address has bounced, if its enhanced code (RFC 3463) says so.
Any other answer with 5 means that the mail is not accepted: without that code, it may be about a setting.
"""

import re
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage

from busware.server.mail.delivery import Bounced, NotAccepted, NotDelivered, address_fails, masked
from busware.server.settings import Settings, SettingsError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ENHANCED_CODE = re.compile(r"\d\.\d+\.\d+\b")


def check_settings(settings: Settings) -> None:
    """Raises SettingsError if mails cannot be sent with these settings."""
    if not settings.smtp_host:
        return
    if settings.mail_from == Settings.mail_from:
        raise SettingsError("BUSWARE_SMTP_HOST is set without BUSWARE_MAIL_FROM: set both, or neither.")
    if settings.smtp_user and settings.smtp_security == "none" and settings.smtp_host not in _LOOPBACK:
        raise SettingsError(
            "BUSWARE_SMTP_SECURITY=none would send BUSWARE_SMTP_PASSWORD over the network without "
            "encryption: use starttls or tls."
        )
    try:
        ssl.create_default_context(cafile=settings.smtp_ca)
    except OSError as error:  # ssl.SSLError is a subclass
        raise SettingsError(f"BUSWARE_SMTP_CA ({settings.smtp_ca}) cannot be used: {error}.") from None


class SmtpDelivery:
    """Delivers mails to the mail server of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = ssl.create_default_context(cafile=settings.smtp_ca)

    def deliver(self, mail: EmailMessage, sender: str, to: str) -> None:
        """Give a mail to the server. sender: where undeliverable mails go.

        Raises Bounced, NotAccepted or NotDelivered. After NotDelivered the mail may have arrived.
        """
        try:
            server = self._connect()
            try:
                self._log_in(server)
                server.send_message(mail, from_addr=_ascii_domain(sender), to_addrs=[_ascii_domain(to)])
            finally:  # the answer to QUIT does not change what became of the mail
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            ((code, reply),) = error.recipients.values()
            raise _refused_recipient(code, reply) from None
        except smtplib.SMTPDataError as error:
            raise _refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:  # such as an address in other letters than ASCII
            raise NotAccepted(f"the mail server cannot take this mail: {error}") from None
        except (
            smtplib.SMTPResponseException
        ) as error:  # the greeting, the login, the sender: not about this mail
            raise NotDelivered(_shown(error.smtp_code, error.smtp_error)) from None
        except (OSError, smtplib.SMTPException) as error:  # ssl.SSLError and a timeout are OSErrors
            raise NotDelivered(f"{type(error).__name__}: {error}") from None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        address, seconds = (settings.smtp_host or "", settings.smtp_port), settings.smtp_seconds
        if settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(*address, timeout=seconds, context=self._context)
        server = smtplib.SMTP(*address, timeout=seconds)
        if settings.smtp_security == "starttls":
            try:
                server.starttls(context=self._context)
            except smtplib.SMTPNotSupportedError:
                server.close()
                message = "the mail server offers no STARTTLS; BUSWARE_SMTP_SECURITY says that it must"
                raise NotDelivered(message) from None
            except BaseException:
                server.close()
                raise
        return server

    def _log_in(self, server: smtplib.SMTP) -> None:
        if self._settings.smtp_user:
            server.login(self._settings.smtp_user, self._settings.smtp_password or "")


def _refused_recipient(code: int, reply: bytes) -> Exception:
    """The error of an address that the server has refused."""
    shown = _shown(code, reply)
    if code < 500:
        return NotDelivered(shown)
    enhanced = _ENHANCED_CODE.search(shown)
    return Bounced(shown) if enhanced and address_fails(enhanced[0]) else NotAccepted(shown)


def _refused(code: int, reply: bytes | str) -> Exception:
    """The error of a mail that the server has refused."""
    return NotDelivered(_shown(code, reply)) if code < 500 else NotAccepted(_shown(code, reply))


def _shown(code: int, reply: bytes | str) -> str:
    """The answer of the server on one line, with masked addresses."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return masked(f"{code} {' '.join(text.split())}")


def _ascii_domain(address: str) -> str:
    """An address with its domain in ASCII (IDNA)."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}"
