"""A page with a list of records and the form that adds one or edits one, such as vehicles.

The request that writes a record changes only the fields that it has, and repeating it changes nothing. The
request of a webhook has an idempotency key, so that the repetition has the new secret, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import form_fields, frame
from busware.server.pages.operator.form_fields import FormField
from busware.server.pages.visits import Visit


@dataclass(frozen=True)
class Records:
    """The records of one kind, and their page.

    path, template, section: of the page. listing: the request for the list; name: of the list in its reply.
    put: the request that adds or edits a record. key: its field that names the record. new: the values of a
    new record. is_owned: whether records belong to an operator, whom an admin names. has_pages: whether the
    list has pages. has_key: whether `put` has an idempotency key.
    """

    path: str
    template: str
    section: str
    listing: type[protocol.Request]
    name: str
    put: type[protocol.Request]
    key: str
    fields: list[FormField]
    new: dict[str, Any] = field(default_factory=dict)
    is_owned: bool = True
    has_pages: bool = True
    has_key: bool = False

    def show(self, visit: Visit) -> Response:
        """The list, and the form of a new record or of the one in the field `edit` of the query."""
        owner = self._owner(visit)
        after = {"after": visit.query.get("after", [""])[0]} if self.has_pages else {}
        page = visit.request(self.listing, **owner, **after)
        key = visit.query.get("edit", [""])[0]
        edited = self._find(visit, key, getattr(page, self.name)) if key else None
        now = form_fields.texts_of(self.fields, msgspec.to_builtins(edited) if edited else self.new)
        texts = now
        if visit.is_sent:  # what was typed; the other fields as they are now
            was = form_fields.decode(visit.value("was"))
            after_edit = form_fields.typed(self.fields, visit.form)
            texts = now | {name: text for name, text in after_edit.items() if text != was.get(name)}
        return frame.render(
            visit,
            self.template,
            self.section,
            records=getattr(page, self.name),
            next=getattr(page, "next", None),
            edited=edited,
            fields=self.fields,
            texts=texts,
            was=form_fields.encode(now),
            done=visit.query.get("done", [""])[0],
            **self.more(visit),
        )

    def more(self, visit: Visit) -> dict[str, Any]:
        """More values of the template."""
        return {}

    def submit(self, visit: Visit) -> Response:
        """Add a record, or change the fields that were edited."""
        was = form_fields.decode(visit.value("was"))
        fields = form_fields.changed(self.fields, was, form_fields.typed(self.fields, visit.form))
        values = {name: frame.exactly(value) for name, value in fields.items()}
        named = visit.value(self.key)
        once = {"key": visit.key()} if self.has_key else {}
        reply = visit.request(self.put, **self._owner(visit), **{self.key: named}, **values, **once)
        return self.saved(visit, named, reply)

    def saved(self, visit: Visit, named: str, reply: Any) -> Response:
        """The answer after a record was written. reply: to the request that has written it."""
        return visit.see(frame.link(visit, self.path, done=named))

    def _owner(self, visit: Visit) -> dict[str, str]:
        return {"operator": frame.operator_named(visit)} if self.is_owned else {}

    def _find(self, visit: Visit, key: str, listed: Iterable[Any]) -> Any:
        """The record with a key, on this page of the list or on another one; None if there is none."""
        found = next((one for one in listed if getattr(one, self.key) == key), None)
        if found is None and self.has_pages:
            pages = frame.pages_of(visit, self.listing, **self._owner(visit))
            every = (one for page in pages for one in getattr(page, self.name))
            found = next((one for one in every if getattr(one, self.key) == key), None)
        return found
