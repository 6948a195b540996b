"""Subjects and texts of messages, from Jinja templates.

A template such as templates/booked.txt says what a kind of message says: it sets `subject`, `paragraphs` (a
list) and `sms`. templates/layout.txt and templates/layout.html are the frame of all of them, and add the
details of the booking. Files in BUSWARE_MAIL_TEMPLATES replace those of the same name.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from busware.server.installation import CLIENT
from busware.server.languages import language
from busware.server.mail.booking_text import BookingText
from busware.server.protocol import clean_text

KINDS = ("booked", "waitlisted", "promoted", "cancelled", "changed", "offered", "notice", "password_reset")


class Rendered(NamedTuple):
    """A message as text, as HTML, and as the text of a short message. The subject is one line."""

    subject: str
    text: str
    html: str
    sms: str


class Templates:
    """Renders messages. folder: the operator's templates, or None."""

    def __init__(self, folder: Path | None) -> None:
        own = [jinja2.FileSystemLoader(folder)] if folder else []
        loader = jinja2.ChoiceLoader([*own, jinja2.PackageLoader("busware.server.mail", "templates")])
        self._environment = cache(lambda code: _environment(loader, code))

    def render(self, kind: str, code: str, booking: BookingText | None, values: dict[str, Any]) -> Rendered:
        """A message. kind: of KINDS. code: of the language. values: further values of its template.

        Raises jinja2.TemplateError for a template of the operator that is wrong.
        """
        environment = self._environment(code)
        context = {
            "booking": booking and booking.booking,
            "text": booking,
            "facts": booking.facts() if booking else [],
            "lang": language(code).code,
            "code_id": None,
            "links": [],
            "program": CLIENT,
            **values,
        }
        parts = environment.get_template(f"{kind}.txt").make_module(context)
        subject = _one_line(str(getattr(parts, "subject")))  # noqa: B009 - a template sets it
        paragraphs = [str(paragraph).strip() for paragraph in getattr(parts, "paragraphs")]  # noqa: B009
        context |= {"subject": subject, "paragraphs": [p for p in paragraphs if p]}
        return Rendered(
            subject,
            environment.get_template("layout.txt").render(context).strip() + "\n",
            environment.get_template("layout.html").render(context),
            _one_line(str(getattr(parts, "sms", subject))),
        )


def _environment(loader: jinja2.BaseLoader, code: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=loader,
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    catalogue = language(code)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    return environment


def _one_line(text: str) -> str:
    """The text on one line, without control characters: a header must not begin another one."""
    return " ".join(clean_text(text).split())
