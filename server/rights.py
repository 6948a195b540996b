"""Who may do what: one table, by request and by role.

This is what can be said before anything is looked up. Whose booking or whose bus it is, is decided in
the database (sql/22_operators.sql, sql/23_open_booking.sql), where the account goes with every request.
"""

from server import wire
from server.wire import Caller, Refusal, Request, Role

EVERYBODY: tuple[Role, ...] = ("guest", "traveller", "operator", "admin")
SIGNED_IN: tuple[Role, ...] = ("traveller", "operator", "admin")
OPERATORS: tuple[Role, ...] = ("operator", "admin")

RIGHTS: dict[type[Request], tuple[Role, ...]] = {
    wire.Ping: EVERYBODY,
    wire.Places: EVERYBODY,
    wire.Search: EVERYBODY,
    wire.SeatMap: EVERYBODY,
    wire.Book: EVERYBODY,
    wire.Hold: EVERYBODY,
    # These open a booking: its owner, whoever has its phone, and who runs its service.
    wire.GetBooking: EVERYBODY,
    wire.CancelQuote: EVERYBODY,
    wire.Confirm: EVERYBODY,
    wire.Release: EVERYBODY,
    wire.Cancel: EVERYBODY,
    wire.ChangeSeat: EVERYBODY,
    wire.Alight: EVERYBODY,
    wire.Find: EVERYBODY,
    wire.Say: EVERYBODY,
    wire.Register: EVERYBODY,
    wire.Login: EVERYBODY,
    wire.Logout: SIGNED_IN,
    wire.Bookings: SIGNED_IN,
    # These are about a bus: who runs it.
    wire.OperatorTrips: OPERATORS,
    wire.Manifest: OPERATORS,
    wire.CancelTrip: OPERATORS,
    wire.OpenSales: OPERATORS,
    wire.Notice: OPERATORS,
}


def check(request: Request, caller: Caller) -> None:
    """Raises Refusal (not_signed_in, not_allowed) where the caller's role may not ask this."""
    if caller.role in RIGHTS[type(request)]:
        return
    if caller.role == "guest":
        raise Refusal("not_signed_in", f"{request.method} is for those who are signed in: log in first.")
    raise Refusal("not_allowed", f"{request.method} is for operators.")
