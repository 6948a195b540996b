"""The accounts of the staff: agents, operators and admins; who may sign in, and how each gets a password."""

from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.kinds import N_
from busware.server.pages.operator import form_fields, frame
from busware.server.pages.operator.form_fields import FormField
from busware.server.pages.operator.records import Records
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import StaffAccount

PATH = "/operator/staff"
_COOKIE = "shown"  # the cookie with a token for a password, until the next page has shown it
ROLES = {
    "agent": N_("Agent: sells tickets at a counter"),
    "operator": N_("Operator: runs the services"),
    "admin": N_("Admin: runs the services of all operators"),
}


class _Staff(Records):
    """The list of the accounts. The next page shows the link with which a person sets a password."""

    def more(self, visit: Visit) -> dict[str, Any]:
        token = visit.cookies.get(_COOKIE)
        if token:
            visit.cookies.set(_COOKIE, None)
        is_admin = visit.caller.role == "admin"
        return {
            "role_names": ROLES,
            "roles": {role: text for role, text in ROLES.items() if is_admin or role != "admin"},
            "operators": {name: name for name in frame.operators(visit)} if is_admin else {},
            "zone": ZoneInfo(visit.settings.time_zone),
            "password_link": visit.link_for_others("/new-password", {"reset_token": token}) if token else "",
        }

    def submit(self, visit: Visit) -> Response:
        named = visit.value(self.key)
        if visit.value("do") == "reset":
            changes: dict[str, Any] = {"reset_password": True}
        else:
            was = form_fields.decode(visit.value("was"))
            shown = [one for one in self.fields if one.name in visit.form or one.kind == "flag"]
            fields = form_fields.changed(shown, was, form_fields.typed(shown, visit.form))
            changes = {name: frame.exactly(value) for name, value in fields.items()}
        account: StaffAccount = visit.request(self.put, **{self.key: named}, **changes)
        return self.saved(visit, account.username, account)

    def saved(self, visit: Visit, named: str, reply: StaffAccount) -> Response:
        visit.cookies.set(_COOKIE, reply.reset_token)
        return super().saved(visit, named, reply)


STAFF = _Staff(
    path=PATH,
    template="operator_staff.html",
    section=PATH,
    listing=protocol.Staff,
    name="staff",
    put=protocol.PutStaff,
    key="username",
    fields=[
        FormField("role", "nullable", N_("Role")),
        FormField("operator", "nullable", N_("Operator")),
        FormField("active", "flag", N_("May sign in")),
    ],
)

PAGES: Table = {PATH: frame.operator_page(STAFF.show, STAFF.submit)}
