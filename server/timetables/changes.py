"""Puts the documents of files into the database: what that changes, and the faults.

The database checks each document, and says what it changes (api.put_place, api.put_service). All documents
are put in one transaction. A plan does the same and rolls it back; it locks each service only briefly.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors
from psycopg.types.json import Jsonb

from busware.server.settings import Settings
from busware.server.timetables.files import Fault, Node
from busware.server.timetables.reader import Content, Document

Answer = dict[str, Any]

_LIMIT = "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)"
# One document after the other: each sees what those before it have changed.
_PUT_PLACES = "SELECT p.* FROM jsonb_array_elements(%(data)s) AS data, api.put_place(NULL, data) AS p"
# Stops that are lines of text are read as in api.add_service.
_PUT_SERVICES = r"""
    SELECT p.* FROM jsonb_array_elements(%(data)s) AS data,
        LATERAL (SELECT CASE WHEN data @? 'strict $.stops[*]' AND NOT data @? 'strict $.stops[*] ? (
                @.type() != "string" || !(@ like_regex "^([^|]*[|]){4}[^|]*$"))'
            THEN api.parse_stops(ARRAY(SELECT jsonb_array_elements_text(data -> 'stops'))) END) AS l (stops),
        api.put_service(NULL, data || CASE WHEN l.stops IS NULL THEN '{}'
            ELSE jsonb_build_object('stops', l.stops) END, %(plan)s) AS p"""
_OTHER_OPERATORS = "SELECT bus_id::text, operator FROM bus_info WHERE operator <> %s"

_MAX_LISTED_DATES = 5
_LONGEST_VALUE = 60  # characters


class NotPossible(Exception):
    """The documents cannot be put into the database now. Nothing is changed. The message says why."""


@dataclass
class Changes:
    """What documents change. texts: one for each place and each service that is new or changed."""

    texts: list[str] = field(default_factory=list)
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([*self.texts, *([f"Unchanged: {self.unchanged}."] if self.unchanged else [])])


class Loader:
    """Puts the documents of files into a database. operator: of all services; None: each names its own."""

    def __init__(
        self, conn: psycopg.Connection, content: Content, operator: str | None, settings: Settings
    ) -> None:
        self._conn = conn
        self._content = content
        self._operator = operator
        self._settings = settings

    def load(self, *, plan: bool, expected: Changes | None = None) -> Changes:
        """Put the documents into the database. Returns what that changes.

        Nothing is changed if this is a plan, if there are faults, or if the changes are not the expected
        ones. Raises NotPossible.
        """
        lock_ms, seconds = self._settings.lock_wait_ms, self._settings.timetable_seconds
        try:
            with self._conn.transaction() as transaction:
                self._conn.execute(_LIMIT, (str(round(seconds * 1000)), str(lock_ms)))
                changes = self._put(plan or bool(self._content.faults))
                if plan or changes.faults or expected not in (None, changes):
                    raise psycopg.Rollback(transaction)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            raise NotPossible(
                f"Another transaction has locked a service for {lock_ms} ms. Nothing is changed. Try again."
            ) from None
        except errors.QueryCanceled:
            raise NotPossible(
                f"The load takes longer than {seconds:g} seconds. Nothing is changed. Divide the files, or "
                "set BUSWARE_TIMETABLE_SECONDS to a higher number."
            ) from None
        return changes

    def _put(self, plan: bool) -> Changes:
        changes = Changes(faults=[*self._content.faults])
        services = self._services_of_operator(changes)
        for name, statement, documents in (
            ("Place", _PUT_PLACES, self._content.places),
            ("Service", _PUT_SERVICES, services),
        ):
            data = Jsonb([document.node.plain() for document in documents.values()])
            answers = self._conn.execute(statement, {"data": data, "plan": plan}).fetchall()
            for (key, document), (refused, answer) in zip(documents.items(), answers, strict=True):
                if refused:
                    changes.faults += _faults(document, answer)
                elif answer["created"] or answer["changes"]:
                    changes.texts.append(_describe(f"{name} {key}", answer))
                else:
                    changes.unchanged += 1
        changes.faults.sort(key=lambda fault: (self._content.files.index(fault.file), fault.line))
        return changes

    def _services_of_operator(self, changes: Changes) -> dict[str, Document]:
        """The services, each with the operator filled in. Services of other operators become faults."""
        operator = self._operator
        if operator is None:
            return self._content.services
        services = {}
        others: dict[str, str] = dict(self._conn.execute(_OTHER_OPERATORS, (operator,)).fetchall())
        for number, document in self._content.services.items():
            node = document.node
            fields = {"operator": Node(operator, node.line)} | node.fields()
            found = others.get(number) or fields["operator"].plain()
            if found == operator:
                services[number] = Document(document.file, Node(fields, node.line))
            else:
                message = f"Service {number} is operated by {found}, not by {operator}."
                changes.faults.append(Fault(document.file, node.line_of("operator"), message))
        return services


def _faults(document: Document, refusal: Answer) -> Iterator[Fault]:
    """The faults of a document that the database refuses."""
    fields = refusal.get("fields", [""])  # that cannot change now
    for fault in refusal.get("faults", [{"field": fields[0], "message": refusal["message"]}]):
        line, message = document.node.line_of(fault["field"]), fault["message"]
        name = fault["field"].rpartition(".")[2]  # of stops[2].fare: the line says which stop
        yield Fault(document.file, line, f"{name}: {message}" if "faults" in refusal else message)


def _describe(name: str, answer: Answer) -> str:
    """What changes of a place or a service, as lines of text."""
    lines = [f"{name}: {'new' if answer['created'] else 'changed'}"]
    lines += (f"  {c['field']}: {_shown(c['from'])} → {_shown(c['to'])}" for c in answer["changes"])
    for key, trips in (("opened", "trips that go on sale"), ("removed", "trips that are no longer on sale")):
        if dates := answer.get(key):
            lines.append(f"  {trips}: {_list_dates(dates)}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) and "\n" not in value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _list_dates(dates: list[str]) -> str:
    if len(dates) <= _MAX_LISTED_DATES:
        return ", ".join(dates)
    return f"{len(dates)}, from {dates[0]} to {dates[-1]}"
