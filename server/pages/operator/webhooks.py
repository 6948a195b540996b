"""The webhooks of an operator: a list with a form, and one with what was sent to it, a test and replays."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.kinds import N_
from busware.server.pages.operator import frame
from busware.server.pages.operator.form_fields import FormField
from busware.server.pages.operator.records import Records
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import DeliveryList, Refusal, Replay, Webhook

PATH = "/operator/webhooks"
_ONE = f"{PATH}/{{webhook}}"
_COOKIE = "shown"  # the cookie with a new secret, until the next page has shown it
STATES = {
    "": N_("All"),
    "waiting": N_("Waiting"),
    "delivered": N_("Delivered"),
    "failed": N_("Failed"),
}
_REPLAYED = 100  # events that one request of a replay reads


class _Webhooks(Records):
    """The list of the webhooks. The next page shows the secret of a new one."""

    def saved(self, visit: Visit, named: str, reply: Webhook) -> Response:
        visit.cookies.set(_COOKIE, reply.secret)
        return visit.see(
            frame.link(visit, f"{PATH}/{reply.webhook}", done="created" if reply.secret else "saved")
        )


WEBHOOKS = _Webhooks(
    path=PATH,
    template="operator_webhooks.html",
    section=PATH,
    listing=protocol.Webhooks,
    name="webhooks",
    put=protocol.PutWebhook,
    key="webhook",
    fields=[
        FormField("url", "text", N_("URL"), N_("With https, such as https://example.org/busware.")),
        FormField(
            "types",
            "names",
            N_("Types of events"),
            N_("Separated by commas, such as booking.booked. booking.* is all about bookings, and * is all."),
        ),
        FormField("active", "flag", N_("Gets events")),
    ],
    new={"types": ["*"], "active": True},
    has_pages=False,
    has_key=True,
)


def _of(visit: Visit) -> dict[str, Any]:
    """The fields of a request about the webhook in the path."""
    return {"webhook": visit.path["webhook"], "operator": frame.operator_named(visit)}


def show_webhook(visit: Visit) -> Response:
    """A webhook, and what was sent to it."""
    listed = visit.request(protocol.Webhooks, operator=frame.operator_named(visit))
    webhook = next((one for one in listed.webhooks if one.webhook == visit.path["webhook"]), None)
    if webhook is None:
        raise Refusal("unknown_webhook", "There is no such webhook.")
    state, query = visit.query.get("state", [""])[0], visit.query
    sent: DeliveryList = visit.request(
        protocol.WebhookDeliveries,
        **_of(visit),
        state=state if state in STATES else "",
        after=query.get("after", [""])[0],
    )
    secret = visit.cookies.get(_COOKIE)
    if secret:
        visit.cookies.set(_COOKIE, None)
    return frame.render(
        visit,
        "operator_webhook.html",
        PATH,
        webhook=webhook,
        secret=secret,
        zone=_zone(visit),
        state=state,
        states=STATES,
        deliveries=sent.deliveries,
        next=sent.next,
        done=query.get("done", [""])[0],
        replayed=visit.whole_number("replayed", 0),
        more=query.get("more", [""])[0],
    )


def change_webhook(visit: Visit) -> Response:
    """Send a test, send events again, make a new secret, or delete the webhook."""
    do = visit.value("do")
    of = {**_of(visit), "key": visit.key(f"{do} {visit.value('delivery_no')}")}
    query: dict[str, Any] = {"done": do}
    if do == "test":
        visit.request(protocol.TestWebhook, **of)
    elif do == "rotate":
        rotated: Webhook = visit.request(protocol.RotateWebhookSecret, **of)
        visit.cookies.set(_COOKIE, rotated.secret)
    elif do == "delete":
        visit.request(protocol.DeleteWebhook, **of)
        return visit.see(frame.link(visit, PATH))
    else:
        replay: Replay = visit.request(protocol.ReplayWebhook, **of, **_replayed(visit), limit=_REPLAYED)
        query |= {"replayed": replay.replayed, "more": replay.next if replay.more else ""}
    return visit.see(frame.link(visit, visit.here, **query))


def _zone(visit: Visit) -> ZoneInfo:
    return ZoneInfo(visit.settings.time_zone)


def _replayed(visit: Visit) -> dict[str, str]:
    """Which events are sent again: one delivery, those since a day, or those after a position."""
    if day := visit.day("since"):
        return {"since": datetime.combine(day, time.min, _zone(visit)).isoformat()}
    return {name: visit.value(name) for name in ("delivery_no", "after", "since")}


PAGES: Table = {
    PATH: frame.owned_page(WEBHOOKS.show, WEBHOOKS.submit),
    _ONE: frame.owned_page(show_webhook, change_webhook),
}
