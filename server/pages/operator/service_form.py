"""The form of a service: texts of its fields from the document of the service, and back.

The form has the fields that are edited most, and the stops. The whole document is edited as YAML
(service_document.py).
"""

from collections.abc import Mapping
from typing import Any

from busware.server.pages.forms import Fields
from busware.server.pages.kinds import N_
from busware.server.pages.operator import form_fields
from busware.server.pages.operator.form_fields import FormField

STOP_FIELDS = {
    "place": N_("Stop"),
    "arrives": N_("Arrives"),
    "departs": N_("Departs"),
    "km": N_("Kilometres"),
    "fare": N_("Fare"),
}
_NULL = ("arrives", "departs")  # of a stop: empty is none

GROUPS: dict[str, list[FormField]] = {
    N_("Name and sale"): [
        FormField("name", "text", N_("Name")),
        FormField("sales_days", "number", N_("Days on sale in advance")),
        FormField("sells_until", "text", N_("Sale ends before the departure"), N_("Such as 30 minutes.")),
        FormField("max_seats", "number", N_("Most seats in a booking")),
        FormField("queue_limit", "number", N_("Most parties on the waitlist")),
        FormField("phone_required", "flag", N_("A phone number is required")),
    ],
    N_("Days"): [
        FormField("runs_on", "text", N_("Runs on"), N_("Such as daily, Mon-Fri or Sat Sun.")),
        FormField("first_date", "date", N_("First date")),
        FormField("last_date", "date", N_("Last date"), N_("Empty: it does not end.")),
        FormField("days_off", "dates", N_("Days off"), N_("Dates such as 2026-12-25, separated by commas.")),
        FormField("extra_days", "dates", N_("Extra days"), N_("Dates on which it runs, too.")),
    ],
    N_("Refunds and exchanges"): [
        FormField("refund_percent", "text", N_("Refund in percent, without tiers")),
        FormField(
            "refund_tiers",
            "tiers",
            N_("Refund tiers"),
            N_("Such as 48h: 90, 24h: 50: hours before the departure, and percent."),
        ),
        FormField("alight_refund_percent", "text", N_("Refund in percent for getting off early")),
        FormField("exchange_fee", "text", N_("Fee of an exchange")),
        FormField(
            "exchange_until",
            "nullable",
            N_("Exchanges end before the departure"),
            N_("Such as 4 hours. Empty: no exchanges."),
        ),
        FormField("max_transfers", "number", N_("Most name changes of a ticket")),
    ],
    N_("Seats"): [
        FormField("women_seats", "numbers", N_("Seats for women"), N_("Numbers, separated by commas.")),
        FormField("accessible_seats", "numbers", N_("Accessible seats")),
        FormField("blocked_seats", "numbers", N_("Blocked seats")),
        FormField(
            "max_seats_per_account",
            "nullable number",
            N_("Most seats of an account on a trip"),
            N_("Empty: no limit."),
        ),
        FormField(
            "shortest_segment_km",
            "nullable",
            N_("Shortest segment in kilometres"),
            N_("Empty: all segments are sold."),
        ),
        FormField(
            "short_segments_open",
            "nullable",
            N_("When shorter segments go on sale, before the departure"),
            N_("Such as 4 hours. Empty: never."),
        ),
    ],
}
FIELDS = [field for fields in GROUPS.values() for field in fields]
LABELS = {field.name: field.label for field in FIELDS}


def texts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The texts of the fields, and the stops as rows of texts. document: of a service, as plain values."""
    rows = [{name: stop.get(name) or "" for name in STOP_FIELDS} for stop in document["stops"]]
    return form_fields.texts_of(FIELDS, document) | {"stops": rows}


def typed(form: Fields) -> dict[str, Any]:
    """The texts that a form has."""
    texts = form_fields.typed(FIELDS, form)
    if "stop-place" not in form:  # too many stops for a form
        return texts
    columns = [form.get(f"stop-{name}", []) for name in STOP_FIELDS]
    rows = [dict(zip(STOP_FIELDS, cells, strict=True)) for cells in zip(*columns, strict=False)]
    return texts | {"stops": [row for row in rows if any(row.values())]}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the fields whose texts differ, as fields of a document."""
    fields = form_fields.changed(FIELDS, before, after)
    if "stops" in after and after["stops"] != before.get("stops"):
        fields["stops"] = [
            {name: cell or (None if name in _NULL else "") for name, cell in row.items()}
            for row in after["stops"]
        ]
    return fields
