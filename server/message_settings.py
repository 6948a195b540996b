"""The settings of mails, short messages (SMS) and new passwords: a part of `Settings`."""

from dataclasses import dataclass
from pathlib import Path

from busware.server.setting_kinds import (
    ADDRESS,
    BOOKING_URL,
    BYTES,
    COUNT,
    DURATION,
    FILE,
    FOLDER,
    HEADERS,
    HTTP_METHOD,
    LANGUAGE,
    MAILBOX,
    PERIOD,
    PORT,
    RESET_URL,
    SECRET,
    SECURITY,
    TEXT,
    WEB_URL,
    setting,
)


@dataclass(frozen=True, kw_only=True)
class MessageSettings:
    """The settings of what is sent to travellers."""

    # Mail. Without smtp_host, mails are files in the data folder.
    mail_from: str = setting(
        "Busware <busware@localhost>",
        "address",
        "the sender of mails",
        MAILBOX,
    )
    mail_bounces: str | None = setting(
        None,
        "address",
        "where mails that cannot be delivered come back; if it is not set, the address of BUSWARE_MAIL_FROM",
        MAILBOX,
    )
    mail_language: str = setting(
        "en", "language", "the language of messages to travellers who chose none", LANGUAGE
    )
    mails_per_address: int = setting(
        60, "mails", "the most mails that are sent to an address in an hour; further ones wait", COUNT
    )
    booking_url: str | None = setting(
        None,
        "URL",
        "the page on which a traveller pays and answers offers; {reference} is replaced. If it is not set, "
        "the mail shows what to type",
        BOOKING_URL,
    )
    bounce_bytes: int = setting(
        1048576, "bytes", "how much of a mail that has come back busware-server bounce reads", BYTES
    )
    mail_templates: Path | None = setting(  # noqa: RUF009 - a path does not change
        None, "folder", "templates that replace those of Busware, by name", FOLDER
    )
    mail_files: int = setting(
        1000, "files", "the most messages that are kept as files, without a mail server", COUNT
    )
    mail_file_days: float = setting(30, "days", "how long messages are kept as files", PERIOD)
    smtp_host: str | None = setting(None, "address", "the mail server", ADDRESS)
    smtp_port: int = setting(587, "port", "the port of the mail server", PORT)
    smtp_security: str = setting(
        "starttls",
        "starttls, tls or none",
        "how to encrypt: after a command, at once (port 465), or not, which is for a server on this machine",
        SECURITY,
    )
    smtp_user: str | None = setting(None, "text", "the user at the mail server; if not set, no login", TEXT)
    smtp_password: str | None = setting(None, "text", "the password of this user", SECRET)
    smtp_ca: Path | None = setting(  # noqa: RUF009 - a path does not change
        None,
        "file",
        "the certificates that the mail server's certificate is checked with, in PEM format; if it is not "
        "set, those of the system",
        FILE,
    )
    smtp_seconds: float = setting(
        20, "seconds", "how long to wait for each answer of the mail server", DURATION
    )

    # Short messages (SMS), sent by one HTTP request. Without sms_url, they are files in the data folder.
    sms_url: str | None = setting(
        None, "URL", "the URL that sends a short message; {to}, {text} and {key} are replaced", WEB_URL
    )
    sms_method: str = setting("POST", "method", "the method of the request", HTTP_METHOD)
    sms_headers: tuple[tuple[str, str], ...] | None = setting(
        None, "JSON", "the headers of the request", HEADERS
    )
    sms_body: str | None = setting(
        '{"to": "{to}", "text": "{text}"}', "text", "the body of the request", SECRET
    )
    sms_characters: int = setting(320, "characters", "the longest text; a longer one is cut", COUNT)
    sms_seconds: float = setting(20, "seconds", "how long to wait for the answer", DURATION)

    # New passwords by mail.
    reset_url: str | None = setting(
        None,
        "URL",
        "the page on which a traveller chooses a new password; {token} is replaced. If it is not set, the "
        "mail shows a command",
        RESET_URL,
    )
    reset_minutes: float = setting(60, "minutes", "how long the token in such a mail is valid", PERIOD)
    resets_per_account: int = setting(
        3, "mails", "how many such mails an account gets in an hour; further requests send none", COUNT
    )
    resets_per_address: int = setting(
        20,
        "requests",
        "how many such mails an address may request in an hour; beyond that, not_allowed",
        COUNT,
    )
