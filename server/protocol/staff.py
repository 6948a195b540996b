"""Staff accounts, those of agents, operators and admins: the requests about them, and the replies."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from busware.server.protocol.agents import AgentRequest
from busware.server.protocol.fields import Cursor, Flag, Limit, Username
from busware.server.protocol.replies import Instant
from busware.server.protocol.requests import method

StaffRole = Annotated[
    Literal["agent", "operator", "admin"],
    Meta(description="agent, operator or admin: sells tickets, runs an operator's services, or all services"),
]


# Replies ---------------------------------------------------------------------------------------


class StaffAccount(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A staff account.

    operator: whose services it runs or sells; an admin has none. active: whether it may sign in. changed_at,
    changed_by: of its last change by an account. reset_token: sets its first or its next password, until
    reset_expires_at; only in the reply to `put_staff`, while the account has no password.
    """

    username: str
    role: StaffRole
    active: bool
    has_password: bool
    created_at: Instant
    operator: str | None = None
    changed_at: Instant | None = None
    changed_by: str | None = None
    reset_token: str | None = None
    reset_expires_at: Instant | None = None


class StaffList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of staff accounts, sorted by username. next: the value of `after` for the next page."""

    staff: list[StaffAccount]
    next: str | None = None


# Requests --------------------------------------------------------------------------------------


@method("staff", StaffList, "GET /v1/staff")
class Staff(AgentRequest, frozen=True, kw_only=True):
    """For operators: list the accounts of your operator: its agents and operators.

    An admin who names no operator gets those of all operators, and those of admins.
    """

    limit: Limit | None = None
    after: Cursor | None = None


@method("put_staff", StaffAccount, "PUT /v1/staff/{username}")
class PutStaff(AgentRequest, frozen=True, kw_only=True):
    """For operators: add an account, or change its role, its operator, and whether it may sign in.

    A field that is not given stays as it is. A change ends the sessions of the account. reset_password:
    whether it loses its password, too.
    """

    username: Username
    role: StaffRole | None = None
    active: Flag | None = None
    reset_password: Flag = False
