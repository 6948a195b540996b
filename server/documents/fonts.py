"""The fonts of PDF files: Noto Sans, of which each font has one script.

Those for Latin, Devanagari, Tamil and Telugu are installed with Busware. For other scripts, such as Kannada,
the fonts of the machine are used, if Noto Sans is installed on it (on Debian: fonts-noto-core). A character
that no font has is a question mark.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

_PACKAGES = ("", "_devanagari", "_tamil", "_telugu")
_SYSTEM_FOLDER = Path("/usr/share/fonts")
_SCRIPTS = re.compile(r"NotoSans(Kannada|Malayalam|Bengali|Gujarati|Gurmukhi|Oriya|Arabic)-Regular\.ttf")


@cache
def font_files() -> tuple[Path, ...]:
    """The files of the fonts, the one for Latin first."""
    return (
        *_installed(),
        *sorted(path for path in _SYSTEM_FOLDER.rglob("*.ttf") if _SCRIPTS.match(path.name)),
    )


def _installed() -> Iterator[Path]:
    for package in _PACKAGES:
        for font in files(f"fontpkg_noto_sans{package}").joinpath("files").iterdir():
            if "Italic" not in font.name:
                yield Path(str(font))
