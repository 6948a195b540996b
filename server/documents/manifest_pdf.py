"""A manifest as PDF, in large type for the conductor: stop by stop, with a box to tick for each passenger.

fpdf is imported where it is used, because its import takes a second.
"""

from datetime import UTC, datetime, time
from typing import cast

import msgspec

from busware.server.conversation.manifest import trip_lines
from busware.server.conversation.words import clock, delay_line, listed
from busware.server.documents.pdf_text import PdfText
from busware.server.protocol import ManifestPassenger, ManifestStop, TripManifest

# Lengths in millimetres, sizes of type in points.
_MARGIN = 15
_ROW = 9
_BOX = 5
_BOX_COLUMN = 9
_SEAT_COLUMN = 16
_PHONE_COLUMN = 44
_TICKET_COLUMN = 34
_LARGE, _MEDIUM, _SMALL = 17, 14, 10


def encode(manifest: TripManifest) -> bytes:
    """The manifest as PDF. The same manifest gives the same bytes."""
    return _Writer(manifest).encode()


class _Writer:
    """Writes one manifest."""

    def __init__(self, manifest: TripManifest) -> None:
        from fpdf import FPDF

        title = f"{manifest.name} ({manifest.bus_id}), {manifest.travel_date}"
        writer = self

        class Page(FPDF):
            def footer(self) -> None:
                self.set_y(-_MARGIN)
                with self.local_context(font_family=PdfText.MAIN, font_size_pt=_SMALL):
                    writer.text.shape(title)
                    self.cell(self.epw / 2, _ROW, writer.text.printable(title))
                    self.cell(0, _ROW, f"Page {self.page_no()} of {{nb}}", align="R")

        self._manifest = manifest
        self._pdf = Page(format="A4")
        self.text = PdfText(self._pdf, msgspec.json.encode(manifest).decode() + title)
        self._pdf.set_margin(_MARGIN)
        self._pdf.set_auto_page_break(True, margin=_MARGIN + _ROW)
        self._pdf.set_title(title)
        self._pdf.set_creation_date(datetime.combine(manifest.travel_date, time(), UTC))

    def encode(self) -> bytes:
        self._pdf.add_page()
        for line, is_heading in trip_lines(self._manifest):
            self._line(line, _LARGE if is_heading else _MEDIUM)
        if not self._manifest.stops:
            self._line("No passenger has a booked ticket.", _MEDIUM)
        for stop in self._manifest.stops:
            self._stop(stop)
        return bytes(self._pdf.output())

    def _stop(self, stop: ManifestStop) -> None:
        times = (stop.arrives_at if stop.alights else None, stop.departs_at)
        shown = "–".join(dict.fromkeys(clock(at) for at in times if at))
        self._pdf.ln(_ROW / 2)
        if self._pdf.will_page_break(3 * _ROW):  # a heading is on the page of its first passenger
            self._pdf.add_page()
        self._line(f"{shown}  {stop.place}", _LARGE)
        if delay := delay_line(stop):
            self._line(delay, _MEDIUM)
        self._pdf.line(_MARGIN, self._pdf.get_y(), _MARGIN + self._pdf.epw, self._pdf.get_y())
        for action, riders in (("Alights", stop.alights), ("Boards", stop.boards)):
            if riders:
                self._line(f"{action}: {len(riders)}", _MEDIUM)
            for rider in riders:
                self._rider(rider, with_box=action == "Boards")
        if stop.comes_free:
            self._line(f"Free from here: {listed(stop.comes_free, 'and')}", _MEDIUM)

    def _rider(self, rider: ManifestPassenger, *, with_box: bool) -> None:
        """A row: box, seat, name, phone number, ticket. A long name has several lines."""
        pdf = self._pdf
        name_column = pdf.epw - _BOX_COLUMN - _SEAT_COLUMN - _PHONE_COLUMN - _TICKET_COLUMN
        name = self.text.printable(rider.name or "")
        pdf.set_font(PdfText.MAIN, size=_MEDIUM)
        with pdf.local_context():
            self.text.shape(name)
            height: float = _ROW
            if pdf.get_string_width(name) > name_column - 2 * pdf.c_margin:
                name_height = pdf.multi_cell(name_column, _ROW, name, dry_run=True, output="HEIGHT")
                height = cast("float", name_height)
        if pdf.will_page_break(height):
            pdf.add_page()
        left, top = pdf.get_x(), pdf.get_y()
        if with_box:
            pdf.rect(left + 1, top + (_ROW - _BOX) / 2, _BOX, _BOX)
        pdf.set_x(left + _BOX_COLUMN)
        pdf.set_font(PdfText.MAIN, size=_LARGE)
        pdf.cell(_SEAT_COLUMN, _ROW, str(rider.seat_no))
        pdf.set_font(PdfText.MAIN, size=_MEDIUM)
        with pdf.local_context():  # else the text after a name in another script has the font of that script
            self.text.shape(name)
            pdf.multi_cell(name_column, _ROW, name, align="L", new_x="RIGHT", new_y="TOP")
        pdf.set_x(left + _BOX_COLUMN + _SEAT_COLUMN + name_column)
        pdf.cell(_PHONE_COLUMN, _ROW, rider.phone or "")
        pdf.set_font(PdfText.MAIN, size=_SMALL)
        pdf.cell(_TICKET_COLUMN, _ROW, f"{rider.reference}/{rider.ticket_no}", align="R")
        pdf.set_xy(left, top + height)

    def _line(self, text: str, points: int) -> None:
        with self._pdf.local_context(font_family=PdfText.MAIN, font_size_pt=points):
            self.text.shape(text)
            self._pdf.multi_cell(0, _ROW, self.text.printable(text), align="L", new_x="LMARGIN", new_y="NEXT")
