"""The services of an operator: a list; one service in a form or as a document; its end and its successor.

Each change is planned first. The page of a plan has a form with the same values, which makes the change. It
is made if the service is the same as when the plan was made.
"""

import hashlib
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import forms
from busware.server.pages.operator import form_fields, frame, service_document, service_form
from busware.server.pages.operator.service_document import Document
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import ChangedService, Refusal, ServiceList

PATH = "/operator/services"
_ONE = f"{PATH}/{{bus_id}}"
_STATE = (forms.TOKEN, forms.KEY, "do", "version")  # fields of the form that its plan does not repeat
_SAMPLE = """\
name: Morning Express
bus_type: SEATER
ac: true
layout: |
  ss.ss
  ss.ss
  ss.ss
runs_on: daily
stops: |
  Bengaluru  | -     | 06:00 |   0 |   0
  Mandya     | 07:50 | 08:00 | 100 | 240
  Mysuru     | 09:00 | -     | 145 | 350
"""


def _document(visit: Visit) -> dict[str, Any]:
    """The service in the path, as plain values in the order of the fields. Raises Refusal."""
    service = msgspec.to_builtins(visit.request(protocol.GetService, **visit.path))
    return {"bus_id": service.pop("bus_id"), **service}


def _version(document: dict[str, Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(document, order="sorted"), digest_size=8).hexdigest()


# The list --------------------------------------------------------------------------------------


def show_services(visit: Visit) -> Response:
    """The services of the operator."""
    listed: ServiceList = visit.request(protocol.Services, after=visit.value("after"))
    return frame.render(visit, "operator_services.html", PATH, services=listed.services, next=listed.next)


# One service -----------------------------------------------------------------------------------


class _Change(NamedTuple):
    """What a form would change. is_new: the plan differs from the one shown before."""

    plan: ChangedService
    is_new: bool = False


def _carry_out(visit: Visit, fields: dict[str, Any], document: dict[str, Any]) -> _Change | Response:
    """Plan a change of the service in the path, or make it if the service is the same as in the plan.

    document: of the service. The field `do` says what: edit or succeed, with `-now` to make the change. A
    form that is sent twice makes the change once, and both answers say that it is made.
    """
    do, _, now = visit.value("do").partition("-")
    is_same = visit.value("version") == _version(document)
    values: dict[str, Any] = {**visit.path, **{name: frame.exactly(value) for name, value in fields.items()}}
    if do == "succeed":
        method: type[protocol.Request] = protocol.SucceedService
        values["from_date"] = from_date = visit.value("from_date")
        # A service that ends before the date may have been continued by this form: then its key has the
        # answer, and otherwise the request is refused.
        is_same |= (document["last_date"] or from_date) < from_date and "last_date" not in fields
    else:
        method = protocol.PutService
    if not (now and is_same):
        plan: ChangedService = visit.request(method, **values, plan=True)
        if plan.changes or not now or do == "succeed":
            return _Change(plan, is_new=bool(now))
        return visit.see(f"{PATH}/{plan.bus_id}", {"done": "changed"})
    if do == "succeed":
        values["key"] = visit.key()
    made: ChangedService = visit.request(method, **values)
    return visit.see(f"{PATH}/{made.bus_id}", {"done": "succeeded" if do == "succeed" else "changed"})


def _render(visit: Visit, template: str, change: _Change | None, **values: Any) -> Response:
    labels = service_form.LABELS if "texts" in values else {}  # documents have the names of the fields
    sent = {name: found for name, found in visit.form.items() if name not in _STATE}
    refusal = visit.refusal
    return frame.render(
        visit,
        template,
        PATH,
        change=change,
        labels=labels,
        sent=sent,
        do=visit.value("do").partition("-")[0],
        done=visit.query.get("done", [""])[0],
        faults=refusal.data.get("faults", []) if refusal else [],
        possible=refusal.data.get("possible_date") if refusal else None,
        **values,
    )


def show_service(visit: Visit, change: _Change | None = None) -> Response:
    """A service in a form."""
    document = _document(visit)
    texts = service_form.texts_of(document)
    was = texts
    if visit.is_sent:  # what was typed; the other fields as they are now
        was, after = form_fields.decode(visit.value("was")), service_form.typed(visit.form)
        edited = {name: text for name, text in after.items() if text != was.get(name)}
        texts = texts | edited
        was = service_form.texts_of(document)
    return _render(
        visit,
        "operator_service.html",
        change,
        service=document,
        texts=texts,
        was=form_fields.encode(was),
        version=_version(document),
        groups=service_form.GROUPS,
        stop_fields=service_form.STOP_FIELDS,
    )


def change_service(visit: Visit) -> Response:
    """Plan the change of a service by its form, or make it."""
    document = _document(visit)
    fields = service_form.changed(form_fields.decode(visit.value("was")), service_form.typed(visit.form))
    change = _carry_out(visit, fields, document)
    return change if isinstance(change, Response) else show_service(visit, change)


# As a document ---------------------------------------------------------------------------------


def show_document(visit: Visit, change: _Change | None = None) -> Response:
    """A service as a document."""
    service = _document(visit)
    return _render(
        visit,
        "operator_document.html",
        change,
        service=service,
        text=visit.value("document") if visit.is_sent else service_document.write(service),
        version=_version(service),
    )


def change_document(visit: Visit) -> Response:
    """Plan the change of a service by its document, or make it."""
    document = Document(visit.value("document"))
    fields = document.fields
    if str(fields.pop("bus_id", visit.path["bus_id"])) != visit.path["bus_id"]:
        raise Refusal("bad_request", "The document is of another service.", field="document")
    try:
        change = _carry_out(visit, fields, _document(visit))
    except Refusal as refusal:
        raise document.with_lines(refusal) from None
    return change if isinstance(change, Response) else show_document(visit, change)


# A new one, and the end of one ------------------------------------------------------------------


def show_new(visit: Visit, change: _Change | None = None) -> Response:
    """The form of a new service."""
    text = visit.value("document") if visit.is_sent else _SAMPLE
    return _render(visit, "operator_document.html", change, service=None, text=text, version="new")


def add_service(visit: Visit) -> Response:
    """Plan a new service, or add it."""
    document = Document(visit.value("document"))
    document.fields.pop("bus_id", None)
    fields = {name: frame.exactly(value) for name, value in document.fields.items()}
    try:
        if visit.value("do") == "edit-now":
            made: ChangedService = visit.request(protocol.AddService, **fields, key=visit.key())
            return visit.see(f"{PATH}/{made.bus_id}", {"done": "added"})
        change = _Change(visit.request(protocol.AddService, **fields, plan=True))
    except Refusal as refusal:
        raise document.with_lines(refusal) from None
    return show_new(visit, change)


def show_end(visit: Visit, change: _Change | None = None) -> Response:
    """The form that gives a service a last date."""
    service = _document(visit)
    return _render(visit, "operator_end.html", change, service=service, version=_version(service))


def end_service(visit: Visit) -> Response:
    """Plan the end of a service, or give it its last date."""
    change = _carry_out(visit, {"last_date": visit.value("last_date") or None}, _document(visit))
    return change if isinstance(change, Response) else show_end(visit, change)


PAGES: Table = {
    PATH: frame.operator_page(show_services),
    f"{PATH}/new": frame.operator_page(show_new, add_service),
    _ONE: frame.operator_page(show_service, change_service),
    f"{_ONE}/document": frame.operator_page(show_document, change_document),
    f"{_ONE}/end": frame.operator_page(show_end, end_service),
}
