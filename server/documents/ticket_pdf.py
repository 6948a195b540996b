"""A ticket as PDF: a page in the traveller's language with the QR code that staff scan.

The texts are given, so that this module knows no language. fpdf and segno are imported where they are used,
because the import of fpdf takes a second.
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import NamedTuple

from busware.server.documents.pdf_text import PdfText

MIME_TYPE = "application/pdf"

# Lengths in millimetres, sizes of type in points.
_MARGIN = 15
_ROW = 8
_CODE = 45
_GAP = 6
_LABEL_COLUMN = 38
_HUGE, _LARGE, _MEDIUM, _SMALL = 24, 16, 12, 10


class TicketPage(NamedTuple):
    """The texts of a ticket.

    facts: labels and values. header, rows: the table of the tickets. code: the text of the QR code.
    created_at: the time that the file has as its creation date.
    """

    title: str
    reference: str
    service: str
    journey: str
    facts: Sequence[tuple[str, str]]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    code: str
    created_at: datetime
    language: str


def encode(page: TicketPage) -> bytes:
    """The ticket as PDF. The same ticket is the same file."""
    return _Writer(page).encode()


def code_image(text: str, scale: int) -> bytes:
    """The QR code of a text as PNG. scale: the pixels of a module."""
    import segno

    image = BytesIO()
    segno.make_qr(text, error="m").save(image, kind="png", scale=scale, border=4)
    return image.getvalue()


class _Writer:
    """Writes one ticket."""

    def __init__(self, page: TicketPage) -> None:
        from fpdf import FPDF

        self._page = page
        self._pdf = FPDF(format="A4")
        self._text = PdfText(self._pdf, repr(page))
        self._pdf.set_margin(_MARGIN)
        self._pdf.set_auto_page_break(True, margin=_MARGIN)
        self._pdf.set_title(f"{page.title} {page.reference}")
        self._pdf.set_lang(page.language)
        self._pdf.set_creation_date(page.created_at)

    def encode(self) -> bytes:
        page, pdf = self._page, self._pdf
        pdf.add_page()
        top = pdf.get_y()
        beside_code = pdf.epw - _CODE - _GAP
        self._line(page.title, _MEDIUM, beside_code)
        self._line(page.reference, _HUGE, beside_code)
        self._line(page.service, _LARGE, beside_code)
        self._line(page.journey, _LARGE, beside_code)
        pdf.image(BytesIO(code_image(page.code, 8)), pdf.l_margin + pdf.epw - _CODE, top, _CODE, _CODE)
        pdf.set_y(max(pdf.get_y(), top + _CODE) + _GAP)
        for label, value in page.facts:
            self._fact(label, value)
        pdf.ln(_GAP)
        self._table()
        pdf.ln(_GAP)
        for note in page.notes:
            self._line(note, _MEDIUM, pdf.epw)
        return bytes(pdf.output())

    def _fact(self, label: str, value: str) -> None:
        """A label, and its value beside it; both may have several lines."""
        pdf = self._pdf
        top = pdf.get_y()
        self._line(label, _MEDIUM, _LABEL_COLUMN)
        below = pdf.get_y()
        pdf.set_xy(pdf.l_margin + _LABEL_COLUMN, top)
        self._line(value, _MEDIUM, pdf.epw - _LABEL_COLUMN)
        pdf.set_y(max(below, pdf.get_y()))

    def _table(self) -> None:
        """The tickets: a column for each heading, of which the name of the passenger is the widest."""
        pdf, page = self._pdf, self._page
        widths = [1.0] * len(page.header)
        widths[1] = 3.0
        pdf.set_font(PdfText.MAIN, size=_MEDIUM)
        self._text.shape("".join("".join(row) for row in (page.header, *page.rows)))
        with pdf.table(
            borders_layout="HORIZONTAL_LINES",
            col_widths=tuple(widths),
            first_row_as_headings=False,
            line_height=_ROW,
            text_align="LEFT",
        ) as table:
            for row in (page.header, *page.rows):
                table.row([self._text.printable(cell) for cell in row])

    def _line(self, text: str, points: int, width: float) -> None:
        with self._pdf.local_context(font_family=PdfText.MAIN, font_size_pt=points):
            self._text.shape(text)
            height = max(_ROW, points * 0.5)
            self._pdf.multi_cell(
                width, height, self._text.printable(text), align="L", new_x="LMARGIN", new_y="NEXT"
            )
