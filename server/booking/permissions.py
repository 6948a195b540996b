"""Permissions: which account roles may send which request.

The database decides about the booking or service in a request (sql/22_operates.sql, sql/23_open_booking.sql).
"""

from busware.server import protocol
from busware.server.protocol import Caller, Refusal, Request, Role

ALL: tuple[Role, ...] = ("guest", "traveller", "agent", "operator", "admin")
SIGNED_IN: tuple[Role, ...] = ("traveller", "agent", "operator", "admin")
COUNTERS: tuple[Role, ...] = ("agent", "operator", "admin")  # they sell to others
OPERATORS: tuple[Role, ...] = ("operator", "admin")

RIGHTS: dict[type[Request], tuple[Role, ...]] = {
    protocol.Ping: ALL,
    protocol.Places: ALL,
    protocol.Search: ALL,
    protocol.SeatMap: ALL,
    protocol.Book: ALL,
    protocol.Hold: ALL,
    # The database also checks the phone number, the owner or the operator of the booking:
    protocol.GetBooking: ALL,
    protocol.CancelQuote: ALL,
    protocol.Confirm: ALL,
    protocol.Pay: ALL,
    protocol.Payments: ALL,
    protocol.GetInvoice: ALL,
    protocol.Release: ALL,
    protocol.Cancel: ALL,
    protocol.ChangeSeat: ALL,
    protocol.AlightQuote: ALL,
    protocol.Alight: ALL,
    protocol.Transfer: ALL,
    protocol.SetContact: ALL,
    protocol.Offers: ALL,
    protocol.GetMessages: ALL,
    protocol.Accept: ALL,
    protocol.Decline: ALL,
    protocol.ExchangeQuote: ALL,
    protocol.Exchange: ALL,
    protocol.Find: ALL,
    protocol.Say: ALL,
    protocol.Register: ALL,
    protocol.Login: ALL,
    protocol.RequestReset: ALL,
    protocol.ResetPassword: ALL,
    protocol.Logout: SIGNED_IN,
    protocol.SetEmail: SIGNED_IN,
    protocol.Bookings: SIGNED_IN,
    # The database also checks the operator of the service:
    protocol.OperatorTrips: OPERATORS,
    protocol.Manifest: OPERATORS,
    protocol.Load: OPERATORS,
    protocol.Occupancy: OPERATORS,
    protocol.Sales: OPERATORS,
    protocol.Events: OPERATORS,
    protocol.CheckIn: OPERATORS,
    protocol.MarkNoShows: OPERATORS,
    protocol.CancelTrip: OPERATORS,
    protocol.TripOffers: OPERATORS,
    protocol.DelayTrip: OPERATORS,
    protocol.SkipStop: OPERATORS,
    protocol.ServeStop: OPERATORS,
    protocol.BlockSeats: OPERATORS,
    protocol.UnblockSeats: OPERATORS,
    protocol.OpenSales: OPERATORS,
    protocol.OperatorPayments: OPERATORS,
    protocol.SettlePayment: OPERATORS,
    protocol.Refunds: OPERATORS,
    protocol.SettleRefund: OPERATORS,
    protocol.Invoices: OPERATORS,
    protocol.AccountsOfMoney: OPERATORS,
    protocol.GetInvoicing: OPERATORS,
    protocol.PutInvoicing: OPERATORS,
    protocol.PromoCodes: OPERATORS,
    protocol.PutPromoCode: OPERATORS,
    protocol.Notice: OPERATORS,
    protocol.Services: OPERATORS,
    protocol.GetService: OPERATORS,
    protocol.AddService: OPERATORS,
    protocol.PutService: OPERATORS,
    protocol.EndService: OPERATORS,
    protocol.SucceedService: OPERATORS,
    protocol.OpenTrip: OPERATORS,
    protocol.PutPlace: OPERATORS,
    protocol.Assign: OPERATORS,
    protocol.ExchangeVehicle: OPERATORS,
    # The database also checks the operator of the vehicles and drivers:
    protocol.Vehicles: OPERATORS,
    protocol.PutVehicle: OPERATORS,
    protocol.Drivers: OPERATORS,
    protocol.PutDriver: OPERATORS,
    # The database also checks the operator of the agent:
    protocol.Agents: OPERATORS,
    protocol.PutAgent: OPERATORS,
    protocol.GetSettlement: COUNTERS,
    protocol.SettleAgent: OPERATORS,
    # The database also checks the operator and the role of the account:
    protocol.Staff: OPERATORS,
    protocol.PutStaff: OPERATORS,
    # The database also checks the operator of the webhook:
    protocol.Webhooks: OPERATORS,
    protocol.PutWebhook: OPERATORS,
    protocol.DeleteWebhook: OPERATORS,
    protocol.RotateWebhookSecret: OPERATORS,
    protocol.TestWebhook: OPERATORS,
    protocol.WebhookDeliveries: OPERATORS,
    protocol.ReplayWebhook: OPERATORS,
}


def check(request: Request, caller: Caller) -> None:
    """Raises Refusal (not_signed_in, not_allowed) if the caller's role may not send the request."""
    if caller.role in RIGHTS[type(request)]:
        return
    if caller.role == "guest":
        raise Refusal("not_signed_in", f"{request.method} requires a session: log in first.")
    agents = " and agents" if "agent" in RIGHTS[type(request)] else ""
    raise Refusal("not_allowed", f"{request.method} is for operators{agents}.")
