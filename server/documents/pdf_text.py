"""Text in PDF files: the fonts of all scripts, question marks for unknown characters, shaping.

fpdf is imported where it is used, because its import takes a second.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from busware.server.documents.fonts import font_files

if TYPE_CHECKING:
    from fpdf import FPDF


class PdfText:
    """Prepares a PDF file for texts in any script. The name of its main font is `MAIN`.

    content: all texts of the file. Only the fonts that it needs are loaded, because each takes 0.1 s.
    """

    MAIN = "0"

    def __init__(self, pdf: "FPDF", content: str) -> None:
        self._pdf = pdf
        main, *others = font_files()
        missing = {ord(letter) for letter in content} - _characters(main)
        needed = [main, *(file for file in others if missing & _characters(file))]
        fonts = {str(n): file for n, file in enumerate(needed)}
        for name, file in fonts.items():
            pdf.add_font(name, "", file)
        pdf.set_fallback_fonts(list(fonts)[1:], exact_match=False)
        self._characters = frozenset[int]().union(*map(_characters, needed))

    def printable(self, text: str) -> str:
        """The text with a question mark for each character that no font has."""
        return "".join(letter if ord(letter) in self._characters else "?" for letter in text)

    def shape(self, text: str) -> None:
        """Shape the next texts if this one needs it: vowels of Indian scripts move around consonants.

        Most texts are ASCII, and shaping takes most of the time.
        """
        self._pdf.set_text_shaping(not text.isascii())


@cache
def _characters(font: Path) -> frozenset[int]:
    """The characters that a font has."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    with TTFont(font, lazy=True) as file:
        return frozenset(file.getBestCmap())
