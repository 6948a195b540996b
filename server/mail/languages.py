"""The languages of messages: a catalogue of texts, and dates and amounts as people write them.

The texts in the code and in the templates are English. languages/hi.po and languages/kn.po translate them;
`scripts/messages` updates these files. They are compiled when the process first needs them, in a few
milliseconds, so that a checkout and a wheel need no build step.
"""

from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import get_args

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency

from busware.server.protocol import Language as Code

CODES: tuple[str, ...] = get_args(get_args(Code)[0])
DEFAULT = "en"  # the language of the texts in the code

_DAY = "EEE d MMM y"


class Language:
    """A language. code: such as hi. It is used with the conventions of India, such as 1,00,000."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.code = code
        self.gettext = translations.gettext
        self.ngettext = translations.ngettext
        self._locale = Locale(code, "IN")

    def day(self, day: date) -> str:
        """A date, such as Sat 5 Dec 2026."""
        return format_date(day, _DAY, locale=self._locale)

    def moment(self, at: datetime) -> str:
        """A date and time in the time zone of `at`, such as Sat 5 Dec 2026, 22:05."""
        return format_datetime(at, f"{_DAY}, HH:mm", locale=self._locale)

    def amount(self, amount: str, currency: str) -> str:
        """An amount, such as ₹1,234.50. currency: of ISO 4217."""
        return format_currency(amount, currency, locale=self._locale)


@cache
def language(code: str) -> Language:
    """The language with this code; English for any other code."""
    if code == DEFAULT or code not in CODES:
        return Language(DEFAULT, NullTranslations())
    text = files("busware.server.mail").joinpath("languages", f"{code}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(text), locale=code))
    compiled.seek(0)
    return Language(code, GNUTranslations(compiled))
