"""Who may do what: one table, by request and by role.

This is what can be said before anything is looked up. Whose booking or whose bus it is, is decided in
the database (sql/22_operates.sql, sql/23_open_booking.sql), where the account goes with every request.
"""

from busware.server import protocol
from busware.server.protocol import Caller, Refusal, Request, Role

EVERYBODY: tuple[Role, ...] = ("guest", "traveller", "operator", "admin")
SIGNED_IN: tuple[Role, ...] = ("traveller", "operator", "admin")
OPERATORS: tuple[Role, ...] = ("operator", "admin")

RIGHTS: dict[type[Request], tuple[Role, ...]] = {
    protocol.Ping: EVERYBODY,
    protocol.Places: EVERYBODY,
    protocol.Search: EVERYBODY,
    protocol.SeatMap: EVERYBODY,
    protocol.Book: EVERYBODY,
    protocol.Hold: EVERYBODY,
    # These open a booking: its owner, whoever has its phone, and who runs its service.
    protocol.GetBooking: EVERYBODY,
    protocol.CancelQuote: EVERYBODY,
    protocol.Confirm: EVERYBODY,
    protocol.Release: EVERYBODY,
    protocol.Cancel: EVERYBODY,
    protocol.ChangeSeat: EVERYBODY,
    protocol.Alight: EVERYBODY,
    protocol.Find: EVERYBODY,
    protocol.Say: EVERYBODY,
    protocol.Register: EVERYBODY,
    protocol.Login: EVERYBODY,
    protocol.Logout: SIGNED_IN,
    protocol.Bookings: SIGNED_IN,
    # These are about a bus: who runs it.
    protocol.OperatorTrips: OPERATORS,
    protocol.Manifest: OPERATORS,
    protocol.CancelTrip: OPERATORS,
    protocol.OpenSales: OPERATORS,
    protocol.Notice: OPERATORS,
}


def check(request: Request, caller: Caller) -> None:
    """Raises Refusal (not_signed_in, not_allowed) where the caller's role may not ask this."""
    if caller.role in RIGHTS[type(request)]:
        return
    if caller.role == "guest":
        raise Refusal("not_signed_in", f"{request.method} is for those who are signed in: log in first.")
    raise Refusal("not_allowed", f"{request.method} is for operators.")
