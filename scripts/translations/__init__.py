"""Updates the catalogues of the texts for travellers from the code and the templates: scripts/messages."""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

SERVER = Path(__file__).resolve().parents[2] / "server"
PARTS = ("mail", "pages")  # of the server; each has catalogues of its own
LANGUAGES = ("hi", "kn")  # English is the language of the texts themselves

_METHODS = [
    ("**.py", "python"),
    ("templates/*.txt", "jinja2.ext:babel_extract"),
    ("templates/*.html", "jinja2.ext:babel_extract"),
]
_OPTIONS = {"templates/*": {"silent": "false", "trim_blocks": "true"}}
_KEYWORDS = DEFAULT_KEYWORDS | {"NN_": (1, 2)}  # NN_ marks a text for one thing and one for several
_COLUMNS = 110
# Without dates and names, so that an update without new texts changes nothing.
_HEADER = r"""msgid ""
msgstr ""
"Project-Id-Version: busware\n"
"Language: {language}\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


def template(part: str) -> Catalog:
    """All texts of the code and the templates of a part."""
    catalogue = Catalog(project="busware", charset="utf-8")
    for file, _, text, comments, context in sorted(
        extract_from_dir(SERVER / part, _METHODS, _OPTIONS, _KEYWORDS), key=lambda found: (found[0], found[1])
    ):
        catalogue.add(text, locations=[(file, None)], auto_comments=comments, context=context)
    return catalogue


def read(part: str, language: str) -> Catalog:
    """The catalogue of a part in a language as its file has it."""
    return read_po(BytesIO(path(part, language).read_bytes()), locale=language)


def updated(part: str, language: str) -> Catalog:
    """The catalogue of a part in a language with the texts of today, and without obsolete ones."""
    catalogue = read(part, language)
    catalogue.update(template(part), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def encode(catalogue: Catalog) -> bytes:
    """The file of a catalogue, sorted by the English texts, so that a new text changes only its own lines."""
    file = BytesIO()
    write_po(file, catalogue, width=_COLUMNS, omit_header=True, include_lineno=False, sort_output=True)
    return _HEADER.format(language=catalogue.locale).encode() + file.getvalue().rstrip() + b"\n"


def path(part: str, language: str) -> Path:
    """The file of a part and a language."""
    return SERVER / part / "languages" / f"{language}.po"
