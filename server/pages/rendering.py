"""The templates in templates/, and their filters in each language."""

from datetime import datetime
from functools import cache
from typing import Any

import jinja2

from busware.server.languages import CODES, Language, language
from busware.server.pages import static_files
from busware.server.pages.kinds import BUS_TYPES
from busware.server.protocol import Trip

_MINUTES = 60
_DAY_MINUTES = 24 * 60


def render(template: str, chosen: Language, context: dict[str, Any]) -> str:
    """A page in a language."""
    return _environment(chosen.code).get_template(template).render(context)


@cache
def _environment(code: str) -> jinja2.Environment:
    chosen = language(code)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("busware.server.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        chosen.gettext, chosen.ngettext, newstyle=True
    )
    environment.filters |= {
        "amount": chosen.amount,
        "price": chosen.price,
        "day": chosen.day,
        "short_day": chosen.short_day,
        "clock": chosen.clock,
        "moment": chosen.moment,
        "number": chosen.number,
        "duration": lambda trip: duration(trip.departs_at, trip.arrives_at, chosen),
        "type": lambda trip: type_of(trip, chosen),
        "days_later": lambda trip: (trip.arrives_at.date() - trip.departs_at.date()).days,
    }
    environment.globals |= {
        "static": static_files.path,
        "languages": [language(one) for one in CODES],
    }
    return environment


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


def type_of(trip: Trip, chosen: Language) -> str:
    """The type of a service, such as "AC · Sleeper", without the parts that are unknown."""
    _ = chosen.gettext
    cooling = {True: _("AC"), False: _("Non-AC"), None: ""}[trip.ac]
    bus_type = _(BUS_TYPES[trip.bus_type]) if trip.bus_type in BUS_TYPES else ""
    return " · ".join(filter(None, (cooling, bus_type)))
