"""Mails in each language: texts, headers, ticket, QR code, calendar entry."""

import io
import subprocess
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import icalendar
import pytest
from fpdf import FPDF
from pypdf import PdfReader

from busware.server.documents.pdf_text import PdfText
from busware.server.languages import CODES, language
from busware.server.mail.booking_text import BookingText
from busware.server.mail.delivery import Sender
from busware.server.mail.messages import Content, compose, content
from busware.server.mail.templates import KINDS, Templates
from tests.support.bookings import OFFER, REFERENCE, booking

KEY = UUID("0c1e6bfb-33f2-4d0a-9f29-9a2d0d0b9a55")
AT = datetime(2026, 12, 1, 3, 30, tzinfo=UTC)
SENDER = Sender("Example Buses", "tickets@example.org", "bounces@example.org")
TO = "asha@example.net"
PAGE = "https://example.org/booking?reference=DT7VKKK&from=mail"
WAITING = [
    {**ticket, "seat_no": None, "seated_at": None, "status": "cancelled"} for ticket in booking()["tickets"]
]
DATA: dict[str, dict[str, Any]] = {  # of a message of each kind
    "booked": {"booking": booking()},
    "waitlisted": {"booking": booking(status="pending", position=2)},
    "promoted": {"booking": booking()},
    "cancelled": {"booking": booking(status="cancelled", refund="260.00", why="Landslide.")},
    "changed": {"booking": booking(), "cause": "times", "why": "Expected 21:45."},
    "offered": {"booking": booking(status="displaced", offers=[OFFER])},
    "notice": {"booking": booking(), "notice": "Platform 4 <not 3> & on time."},
    "password_reset": {
        "usernames": "asha",
        "count": 1,
        "lines": ["busware reset-password 12ab"],
        "minutes": 60,
    },
}
# Of some kinds, the variants that have other texts.
VARIANTS = [
    *DATA.items(),
    ("promoted", {"booking": booking(status="held", expires_at="2026-12-01T10:00:00+05:30")}),
    ("cancelled", {"booking": booking(status="cancelled")}),
    ("changed", {"booking": booking(), "cause": "vehicle"}),
    ("changed", {"booking": booking(), "cause": "exchange"}),
    ("offered", {"booking": booking(offers=[OFFER | {"unanswered": "keep", "trip": None}])}),
    ("cancelled", {"booking": booking(status="cancelled", tickets=WAITING)}),
    ("cancelled", {"booking": booking(status="expired", tickets=WAITING)}),
    ("cancelled", {"booking": booking(status="cancelled", refund="520.00"), "offer_state": "declined"}),
    ("cancelled", {"booking": booking(status="cancelled", refund="520.00"), "offer_state": "expired"}),
    ("changed", {"booking": booking(), "cause": "offer", "offer_state": "accepted"}),
    ("promoted", {"booking": booking(status="held", expires_at=OFFER["valid_until"]), "links": [PAGE]}),
    ("offered", {"booking": booking(status="displaced", offers=[OFFER]), "links": [PAGE]}),
    ("password_reset", {**DATA["password_reset"], "lines": [PAGE], "links": [PAGE]}),
    (
        "password_reset",
        {
            "usernames": "asha, ravi",
            "count": 2,
            "lines": ["asha:", "busware reset-password 12ab", "ravi:", "busware reset-password 34cd"],
            "minutes": 60,
        },
    ),
    (
        "password_reset",
        {
            "usernames": "asha, ravi",
            "count": 2,
            "lines": ["asha:", PAGE, "ravi:", f"{PAGE}x"],
            "links": [PAGE, f"{PAGE}x"],
            "minutes": 60,
        },
    ),
]


def made(kind: str, code: str = "en", data: dict[str, Any] | None = None, **sender: Any) -> EmailMessage:
    """A mail, as its receiver reads it."""
    what = content(kind, code, data or DATA[kind], AT)
    mail = compose(what, Templates(None), SENDER._replace(**sender), TO, KEY)
    return BytesParser(policy=policy.default).parsebytes(mail.as_bytes())


def part(mail: EmailMessage, mime_type: str) -> Any:
    """The content of the only part of a type."""
    (found,) = [p for p in mail.walk() if p.get_content_type() == mime_type]
    content_of_part = found.get_content()  # type: ignore[attr-defined]
    is_text = isinstance(content_of_part, str)
    return content_of_part.replace("\r\n", "\n") if is_text else content_of_part


def texts_and_values(what: Content) -> tuple[BookingText | None, dict[str, Any]]:
    """What Templates.render takes of a content."""
    return what.booking, what.values


class VisibleText(HTMLParser):
    """The text of an HTML page that its reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("kind", "data"), VARIANTS)
def test_each_message_is_complete_in_each_language(kind: str, data: dict[str, Any], code: str) -> None:
    mail = made(kind, code, data)
    text, html = part(mail, "text/plain"), part(mail, "text/html")
    visible = VisibleText(html).text
    assert mail["Subject"] and f'lang="{code}"' in html
    for line in text.split("\n-- \n")[0].splitlines():
        for word in line.split():
            assert word.rstrip(":") in visible
    assert "None" not in text and "%(" not in text and "{" not in text
    rendered = Templates(None).render(kind, code, *texts_and_values(content(kind, code, data, AT)))
    assert rendered.sms and "None" not in rendered.sms


def test_kinds_are_those_of_the_database() -> None:
    """`password_reset` is about no event."""
    folder = Path(__file__).parents[3]
    sql = (folder / "sql" / "25_enqueue_mail.sql").read_text()
    assert {kind for kind in KINDS if f"'{kind}'" in sql} == set(KINDS) - {"password_reset"}


def test_languages_differ() -> None:
    assert len({made("booked", code)["Subject"] for code in CODES}) == 3
    assert len({part(made("cancelled", code), "text/plain") for code in CODES}) == 3


def test_amounts_and_dates_are_written_as_in_the_language() -> None:
    hindi = language("hi")
    assert hindi.amount("123456.50", "INR") == "₹1,23,456.50"
    assert language("en").amount("1500", "JPY").endswith("1,500")
    assert (
        language("en").moment(datetime.fromisoformat("2026-12-05T22:05:00+05:30")) == "Sat 5 Dec 2026, 22:05"
    )
    assert hindi.day(datetime(2026, 12, 5, tzinfo=UTC)).startswith("शनि")


def test_unknown_language_is_english() -> None:
    assert language("xx").code == "en"


def test_equal_instants_have_the_dates_of_their_time_zones() -> None:
    at = datetime.fromisoformat("2026-12-05T00:30:00+05:30")
    shown = [language("en").short_day(one) for one in (at, at.astimezone(UTC))]
    assert shown == ["Sat 5 Dec", "Fri 4 Dec"]


def test_same_message_is_the_same_at_each_attempt() -> None:
    first, second = made("booked"), made("booked")
    assert first["Message-ID"] == second["Message-ID"] == f"<{KEY}@example.org>"
    assert first["Date"] == second["Date"]
    assert part(first, "application/pdf") == part(second, "application/pdf")
    assert part(first, "text/calendar") == part(second, "text/calendar")


@pytest.mark.parametrize("code", CODES)
def test_ticket_has_the_booking_and_its_code(code: str, tmp_path: Path) -> None:
    mail = made("booked", code)
    ticket = PdfReader(io.BytesIO(part(mail, "application/pdf")))
    (page,) = ticket.pages
    text = page.extract_text()
    for shown in (REFERENCE, "KSRTC Airavat Club Class", "Bengaluru – Mysuru", "Asha Rao", "520.00"):
        assert shown in text
    images = {"ticket.png": page.images[0].data, "mail.png": part(mail, "image/png")}
    for name, image in images.items():
        (tmp_path / name).write_bytes(image)
        assert decoded(tmp_path / name) == f"BUSWARE:{REFERENCE}"


@pytest.mark.parametrize("code", CODES)
def test_fonts_have_each_letter_of_a_ticket(code: str) -> None:
    text = content("booked", code, DATA["booked"], AT).booking
    assert text is not None
    letters = repr(text.page(AT))
    pdf = FPDF()
    printable = PdfText(pdf, letters).printable(letters)
    pdf.output()  # closes the files of the fonts
    assert printable == letters


def decoded(image: Path) -> str:
    """The text of the QR code in an image."""
    command = ["zbarimg", "--quiet", "--raw", str(image)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_image_of_the_mail_is_that_of_its_text() -> None:
    mail = made("booked")
    (image,) = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert f"cid:{image['Content-ID'].strip('<>')}" in part(mail, "text/html")


def test_long_ticket_goes_on_on_another_page() -> None:
    (ticket, _) = booking()["tickets"]
    many = [{**ticket, "ticket_no": n, "seat_no": n, "name": "A long name " * 6} for n in range(1, 41)]
    mail = made("booked", data={"booking": booking(tickets=many)})
    assert len(PdfReader(io.BytesIO(part(mail, "application/pdf"))).pages) > 1


@pytest.mark.parametrize(
    ("kind", "method", "status"), [("booked", "PUBLISH", "CONFIRMED"), ("cancelled", "CANCEL", "CANCELLED")]
)
def test_calendar_entry(kind: str, method: str, status: str) -> None:
    mail = made(kind)
    (attached,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
    assert attached["Content-Type"].params["method"] == method
    calendar = icalendar.Calendar.from_ical(attached.get_content())
    assert calendar["METHOD"] == method
    (event,) = calendar.walk("VEVENT")
    assert (event["UID"], event["STATUS"]) == (f"{REFERENCE}@busware", status)
    assert event.decoded("DTSTART") == datetime.fromisoformat("2026-12-05T07:00:00+05:30")
    assert event.decoded("DTEND") == datetime.fromisoformat("2026-12-05T10:05:00+05:30")
    assert event["SUMMARY"] == "KSRTC Airavat Club Class: Bengaluru – Mysuru"
    assert REFERENCE in event["DESCRIPTION"]


def test_later_entry_replaces_the_earlier_one() -> None:
    entries = []
    for at in (AT, AT.replace(hour=4)):
        mail = compose(content("changed", "en", DATA["changed"], at), Templates(None), SENDER, TO, KEY)
        (attached,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
        entries.append(icalendar.Calendar.from_ical(attached.get_content()).walk("VEVENT")[0])
    assert entries[0]["UID"] == entries[1]["UID"]
    assert entries[0]["SEQUENCE"] < entries[1]["SEQUENCE"]


@pytest.mark.parametrize("kind", ["waitlisted", "offered", "notice", "password_reset"])
def test_other_messages_have_no_calendar_entry(kind: str) -> None:
    assert "text/calendar" not in [p.get_content_type() for p in made(kind).walk()]


INJECTION = "Mysuru\r\nBcc: victim@example.org\r\n\r\nHello"


@pytest.mark.parametrize("field", ["destination", "name", "operator", "origin"])
def test_text_of_a_booking_adds_no_header(field: str) -> None:
    mail = made("booked", data={"booking": booking(**{field: INJECTION})})
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    calendar = icalendar.Calendar.from_ical(part(mail, "text/calendar"))
    assert len(calendar.walk("VEVENT")) == 1


@pytest.mark.parametrize(
    ("tickets", "facts"),
    [(1, {"en": "Seat: 7", "hi": "सीट: 7"}), (2, {"en": "Seats: 7, 8", "hi": "सीटें: 7, 8"})],
)
def test_label_of_seats_follows_their_number(tickets: int, facts: dict[str, str]) -> None:
    data = {"booking": booking(tickets=booking()["tickets"][:tickets])}
    for code, fact in facts.items():
        assert fact in part(made("booked", code, data), "text/plain").splitlines()


def test_text_of_a_notice_is_not_markup() -> None:
    html = part(made("notice"), "text/html")
    assert "&lt;not 3&gt; &amp; on time" in html


def test_sender_has_a_name_in_any_letters() -> None:
    assert str(made("booked", name="ಬಸ್, ಸೇವೆ")["From"]) == '"ಬಸ್, ಸೇವೆ" <tickets@example.org>'


def test_template_of_the_operator_replaces_one_of_busware(tmp_path: Path) -> None:
    (tmp_path / "booked.txt").write_text(
        '{% set subject = "Happy journey" %}{% set paragraphs = ["Seat " ~ text.seats] %}'
    )
    values = texts_and_values(content("booked", "en", DATA["booked"], AT))
    rendered = Templates(tmp_path).render("booked", "en", *values)
    assert (rendered.subject, rendered.sms) == ("Happy journey", "Happy journey")
    assert rendered.text.startswith("Seat 7, 8")
