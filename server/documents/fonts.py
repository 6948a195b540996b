"""The fonts of PDF files: a font of Noto Sans for each script.

The fonts for Latin and for the scripts of India are installed with Busware. A character that no font has is a
question mark.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

_PACKAGES = ("", "_devanagari", "_tamil", "_telugu")
_OTHER_SCRIPTS = re.compile(r"NotoSans(Kannada|Malayalam|Bengali|Gujarati|Gurmukhi|Oriya|Arabic)\W.*ttf")


@cache
def font_files() -> tuple[Path, ...]:
    """The files of the fonts, the one for Latin first."""
    others = (Path(str(font)) for font in files("manimgx_fonts").iterdir())
    return (*_fonts_of_packages(), *sorted(font for font in others if _OTHER_SCRIPTS.match(font.name)))


def _fonts_of_packages() -> Iterator[Path]:
    for package in _PACKAGES:
        for font in files(f"fontpkg_noto_sans{package}").joinpath("files").iterdir():
            if "Italic" not in font.name:
                yield Path(str(font))
