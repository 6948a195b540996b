"""The languages of travellers: catalogues of texts, and dates, amounts and numbers as people write them.

The texts in the code and in the templates are English. Each part of the server that has texts for travellers
has a catalogue for each other language, such as mail/languages/hi.po; `scripts/messages` updates these files.
They are compiled when the process first needs them, in some ten milliseconds, so that a checkout and a wheel
need no build step.
"""

from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, lru_cache, partial
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from threading import Lock
from typing import get_args

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from busware.server.protocol import Language as Code

CODES: tuple[str, ...] = get_args(get_args(Code)[0])
DEFAULT = "en"  # the language of the texts in the code
PARTS = ("mail", "pages")  # of the server, which have catalogues

_FORMATTED = 1000  # dates, times, amounts and numbers of a language that are kept: many pages show the same
_compiling = Lock()
_DAY = "EEE d MMM y"
_SHORT_DAY = "EEE d MMM"
_TIME = "HH:mm"


class Language:
    """A language. code: such as hi. It is used with the conventions of India, such as 1,00,000."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.code = code
        self.gettext = translations.gettext
        self.ngettext = translations.ngettext
        self._locale = Locale(code, "IN")
        self._price = lru_cache(_FORMATTED)(self._format_price)
        self._number = lru_cache(_FORMATTED)(partial(format_decimal, locale=self._locale))
        self._date = lru_cache(_FORMATTED)(partial(format_date, locale=self._locale))
        self._time = lru_cache(_FORMATTED)(partial(format_time, format=_TIME, locale=self._locale))

    @property
    def name(self) -> str:
        """The name of the language in itself, such as हिन्दी."""
        return str(Locale(self.code).display_name).capitalize()

    @property
    def months(self) -> list[str]:
        """The names of the months, such as January."""
        names = self._locale.months["stand-alone"]["wide"]
        return [names[number] for number in sorted(names)]

    def day(self, day: date) -> str:
        """A date, such as Sat 5 Dec 2026."""
        return self._date(_date_of(day), _DAY)

    def short_day(self, day: date) -> str:
        """A date without its year, such as Sat 5 Dec."""
        return self._date(_date_of(day), _SHORT_DAY)

    def clock(self, at: datetime | time) -> str:
        """A time of day, such as 22:05."""
        return self._time(at if isinstance(at, time) else at.time())

    def moment(self, at: datetime) -> str:
        """A date and time in the time zone of `at`, such as Sat 5 Dec 2026, 22:05."""
        return format_datetime(at, f"{_DAY}, {_TIME}", locale=self._locale)

    def amount(self, amount: str, currency: str) -> str:
        """An amount, such as ₹1,234.50. currency: of ISO 4217."""
        return format_currency(amount, currency, locale=self._locale)

    def price(self, amount: str, currency: str) -> str:
        """An amount without decimals that are all 0, such as ₹1,234."""
        return self._price(amount, currency)

    def _format_price(self, amount: str, currency: str) -> str:
        if Decimal(amount) % 1:
            return self.amount(amount, currency)
        pattern = self._locale.currency_formats["standard"].pattern.replace(".00", "")
        return format_currency(amount, currency, pattern, locale=self._locale, currency_digits=False)

    def number(self, number: int) -> str:
        """A number, such as 1,00,000."""
        return self._number(number)


def _date_of(day: date) -> date:
    """The date itself: of two equal instants in different time zones, the dates may differ."""
    return day.date() if isinstance(day, datetime) else day


def language(code: str) -> Language:
    """The language with this code; English for any other code."""
    with _compiling:  # of several threads, one compiles
        return _language(code)


@cache
def _language(code: str) -> Language:
    if code == DEFAULT or code not in CODES:
        return Language(DEFAULT, NullTranslations())
    translations: NullTranslations | None = None
    for part in PARTS:
        text = files("busware.server").joinpath(part, "languages", f"{code}.po").read_bytes()
        compiled = BytesIO()
        write_mo(compiled, read_po(BytesIO(text), locale=code))
        compiled.seek(0)
        part_translations = GNUTranslations(compiled)
        if translations is None:
            translations = part_translations
        else:
            translations.add_fallback(part_translations)
    assert translations is not None  # noqa: S101 - for the type checker
    return Language(code, translations)
