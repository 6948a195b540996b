"""The templates in templates/, and their filters.

The templates are compiled once in a process, for all languages: the language of a page is in a context
variable while the page is rendered.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from threading import Lock
from typing import Any

import jinja2
from babel.dates import get_day_names

from busware.server.languages import CODES, Language, language
from busware.server.pages import static_files
from busware.server.pages.kinds import BUS_TYPES
from busware.server.protocol import Trip

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORD = re.compile(r"\w+")
_MINUTES = 60
_DAY_MINUTES = 24 * 60
_OF_LANGUAGE = ("amount", "price", "day", "short_day", "clock", "moment", "number")  # filters
_language: ContextVar[Language] = ContextVar("language")
_compiling = Lock()


def render(template: str, chosen: Language, context: dict[str, Any]) -> str:
    """A page in a language."""
    with _compiling:  # of several threads, one compiles
        environment = _environment()
    before = _language.set(chosen)
    try:
        return environment.get_template(template).render(context)
    finally:
        _language.reset(before)


@cache
def _environment() -> jinja2.Environment:
    """The environment with all templates compiled."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("busware.server.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        _of_language("gettext"), _of_language("ngettext"), newstyle=True
    )
    environment.filters |= {name: _of_language(name) for name in _OF_LANGUAGE} | {
        "duration": lambda trip: duration(trip.departs_at, trip.arrives_at, _language.get()),
        "until": lambda begins, ends: duration(begins, ends, _language.get()),
        "type": lambda trip: type_of(trip, _language.get()),
        "weekdays": lambda runs_on: weekdays(runs_on, _language.get()),
        "days_later": lambda trip: (trip.arrives_at.date() - trip.departs_at.date()).days,
    }
    environment.globals |= {
        "static": static_files.path,
        "languages": [language(one) for one in CODES],
    }
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


def _of_language(name: str) -> Callable[..., str]:
    """A method of the language in which the page is rendered."""
    return lambda *values: str(getattr(_language.get(), name)(*values))


def duration(departs: datetime, arrives: datetime, chosen: Language) -> str:
    """The time between two instants, such as 3 h 05 min."""
    minutes = int((arrives - departs).total_seconds()) // _MINUTES
    if minutes >= 2 * _DAY_MINUTES:
        days = round(minutes / _DAY_MINUTES)
        return chosen.ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
    return chosen.gettext("%(hours)s h %(minutes)s min") % {
        "hours": minutes // _MINUTES,
        "minutes": f"{minutes % _MINUTES:02d}",
    }


def weekdays(runs_on: str, chosen: Language) -> str:
    """The weekdays on which a service runs, such as Mon-Fri, in the words of a language."""
    _ = chosen.gettext
    words = {"daily": _("daily"), "never": _("never")}
    names = get_day_names("abbreviated", locale=chosen.code)
    words |= {day: names[number] for number, day in enumerate(_WEEKDAYS)}
    return _WORD.sub(lambda found: words.get(found[0], found[0]), runs_on)


def type_of(trip: Trip, chosen: Language) -> str:
    """The type of a service, such as "AC · Sleeper", without the parts that are unknown."""
    _ = chosen.gettext
    cooling = {True: _("AC"), False: _("Non-AC"), None: ""}[trip.ac]
    bus_type = _(BUS_TYPES[trip.bus_type]) if trip.bus_type in BUS_TYPES else ""
    return " · ".join(filter(None, (cooling, bus_type)))
