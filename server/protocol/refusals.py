"""The reasons of refusals, and the error codes of JSON-RPC."""

import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from busware.server.protocol.fields import BusId, CurrencyCode
from busware.server.protocol.replies import Instant, Money, SeatClass

PARSE_ERROR = -32700  # JSON-RPC 2.0, section 5.1
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
REFUSED = -32001  # every reason but bad_request

REASONS: dict[str, str] = {
    "unknown_place": "no place has that name, code or alias, or one that begins with it; "
    "`nearest` lists similar ones",
    "ambiguous_place": "several places have that name or alias, or one that begins with it; "
    "`places` lists the first ten: give the code of one",
    "unknown_trip": "the service does not exist or has no trip on that date; `dates` lists the nearest ones",
    "unknown_seat": "the trip has no such seat; `seats` lists the wrong numbers, `seat_count` is its "
    "number of seats",
    "unknown_booking": "no booking has that reference and phone number, or it has no such ticket; `tickets` "
    "lists its tickets",
    "not_on_route": "the service does not go from the origin to the destination; `stops` lists its stops",
    "departed": "the trip has left the boarding stop, or is no longer sold from there",
    "trip_cancelled": "the trip is cancelled",
    "wrong_trip": "the booking is for another trip, another day or another boarding stop",
    "stop_skipped": "the trip does not stop there; `stops` lists the stops that it serves",
    "not_departed": "the trip has not left the stop yet",
    "checked_in": "the passenger is checked in, so the ticket cannot be transferred, exchanged or cancelled",
    "too_many_transfers": "a ticket may not be transferred so often; `limit` is the largest number",
    "seat_taken": "a seat is taken or held on a part of the segment; `seats` lists such seats, and to the "
    "operator who blocks them, `sold` lists their tickets",
    "sold_out": "fewer seats are free than requested; `seats_free` is their number, of the requested or the "
    "cheapest class; `classes` lists all classes of a service that has them, `women_seats` the free seats "
    "that are for women, if the party may not have them",
    "other_fare": "the seat costs more or less than the ticket has cost; `fare` is its fare, "
    "`ticket_fare` that of the ticket, in `currency`",
    "not_exchangeable": "the booking cannot be exchanged: its service does not exchange tickets, or no "
    "longer, or another operator runs the other service",
    "other_amount": "the exchange costs more, or refunds less, than the request accepts; `due` is what it "
    "charges, `refund` what it refunds, in `currency`",
    "unknown_class": "the service has no such class of seats; `class_names` lists its classes",
    "unknown_concession": "the service has no such concession, or takes no infants without a seat; "
    "`concessions` lists its concessions",
    "unknown_promo_code": "the operator has no such promo code, or it is not valid on the service or today",
    "promo_code_used_up": "the promo code can be used for fewer tickets only; `uses_left` is their number",
    "reserved_seat": "a seat is reserved for women or for passengers who need an accessible one; `seats` "
    "lists such seats, `free_seats` the free ones that the party may have instead",
    "too_short": "the service does not sell so short a segment; `shortest_km` is the shortest, `stops` lists "
    "the destinations that are far enough, and shorter segments are sold from `sold_from` on, if at all",
    "too_many_on_trip": "the account or the phone number may not have so many seats on one trip; `limit` is "
    "the largest number",
    "too_many_seats": "a booking may not have so many seats; `limit` is the largest number",
    "too_many_holds": "the account or the address holds too much without payment; `retry_after` is the "
    "number of seconds until enough of it expires, `limit` the largest number of holds or of held seats",
    "queue_full": "the waitlist of the trip is full; `limit` is the number of parties that it may have",
    "hold_expired": "the hold has expired; on confirm, its seats are no longer free, or its fare or its "
    "terms have changed: `fare` is then the fare of today, in `currency`",
    "payment_required": "the booking has to be paid first: send hold, then pay; `amount` is what is to be "
    "paid, in `currency`",
    "no_payment_due": "nothing is paid to a provider before the booking is confirmed",
    "unknown_payment": "there is no such payment or refund",
    "no_invoice": "the booking has no invoice: it was not charged, its operator issues none, or not yet",
    "refund_under_way": "the provider of the payment carries out the refund",
    "provider_unavailable": "the provider of payments does not answer, or is not set up; try again",
    "displaced": "the ticket has lost its seat; accept or decline the offer of the booking first",
    "no_offer": "the booking has no such offer",
    "offer_ended": "the offer cannot be answered any more; `state` is accepted, declined, expired or "
    "withdrawn",
    "not_held": "the booking is not a hold, so it cannot be confirmed or released",
    "already_booked": "the booking is already confirmed",
    "already_cancelled": "the booking or the ticket is already cancelled",
    "unknown_vehicle": "the operator has no such vehicle; `vehicles` lists those that are free and have the "
    "seats",
    "unknown_driver": "the operator has no such driver; `drivers` lists those that are free",
    "not_in_service": "the vehicle is not in service, or the driver is not active; `vehicles` or `drivers` "
    "lists those that are free",
    "wrong_layout": "the vehicle lacks seats of the service; `seats` lists the missing ones, "
    "`vehicles` the vehicles that are free and have the seats",
    "already_assigned": "the vehicle or the driver is on a trip at that time; `other_trip` is that trip",
    "not_an_agent": "the account may not sell these tickets at a counter: it is no agent of the operator, or "
    "not any more; on confirm, another account holds them",
    "quota_used_up": "the agent may not sell so many seats of the trip; `seats_left` is the number that is "
    "left, `limit` the quota",
    "credit_used_up": "the cash of the agent would exceed its credit; `credit_left` is what is left, "
    "in `currency`",
    "unknown_agent": "the operator has no such agent",
    "already_settled": "the settlement is closed; `settlement_no` is the number of the open one",
    "unknown_webhook": "the operator has no such webhook",
    "webhook_not_active": "the webhook gets no events now: its operator or the server has paused it",
    "too_many_webhooks": "the operator has as many webhooks as it may have; `limit` is the largest number",
    "too_many_secrets": "the webhook has as many valid secrets as it may have; `limit` is the largest number",
    "plan_changed": "bookings of the trip have changed since the plan was made: make a new plan",
    "key_reused": "the idempotency key was used for a different request",
    "service_in_use": "tickets prevent the change of a service; `fields` are the fields that cannot change, "
    "`dates` the trips with such tickets, `possible_date` the first date from which a successor is possible",
    "bad_request": "a field is missing or wrong; `field` is its name, `takes` describes its values; of a "
    "service or a place, `faults` lists all wrong fields",
    "wrong_password": "no account has that username and password, or the token is not valid",
    "username_taken": "another account has that username",
    "own_account": "an account cannot change its own rights, or take its own password away",
    "not_signed_in": "the method requires a session, and the caller has none or it has ended",
    "not_yours": "another operator runs the service",
    "not_allowed": "the account role may not use the method, the password is accepted at /hotel only, or a "
    "rate limit is exceeded; `retry_after` is the number of seconds to wait, `limit` the limit",
    "unsupported": "a server with several databases does not support this",
    "busy": "a limit is reached; try again",
    "draining": "the server is shutting down; try again",
    "outcome_unknown": "the database connection was lost during the commit; try again with the same key",
}


class NamedPlace(Struct, frozen=True, kw_only=True):
    """A place by its code and its name."""

    code: str
    name: str


class SoldSeat(Struct, frozen=True, kw_only=True):
    """A live ticket and its seat."""

    reference: str
    ticket_no: int
    seat_no: int


class OtherTrip(Struct, frozen=True, kw_only=True):
    """A trip on which a vehicle or a driver is."""

    bus_id: BusId
    travel_date: datetime.date
    name: str
    departs_at: Instant
    arrives_at: Instant


class WrongField(Struct, frozen=True, kw_only=True):
    """A wrong field of a document. field: its path, such as stops[2].fare; lists begin at 0."""

    field: str
    message: str


class RefusalData(Struct, frozen=True, kw_only=True):
    """The data of a refusal for programs: the fields that REASONS names in the text of its reason."""

    field: Annotated[str, Meta(description="the name of the wrong field")] | UnsetType = UNSET
    takes: Annotated[str, Meta(description="the valid values of the field, in words")] | UnsetType = UNSET
    nearest: Annotated[list[str], Meta(description="the names of similar places")] | UnsetType = UNSET
    places: Annotated[list[NamedPlace], Meta(description="the places that have the name")] | UnsetType = UNSET
    faults: Annotated[list[WrongField], Meta(description="all wrong fields")] | UnsetType = UNSET
    fields: Annotated[list[str], Meta(description="the fields that cannot change")] | UnsetType = UNSET
    possible_date: Annotated[datetime.date, Meta(description="the first possible date")] | UnsetType = UNSET
    dates: Annotated[list[datetime.date], Meta(description="dates of trips")] | UnsetType = UNSET
    stops: Annotated[list[str], Meta(description="the stops of the service")] | UnsetType = UNSET
    sold: Annotated[list[SoldSeat], Meta(description="the tickets that have the seats")] | UnsetType = UNSET
    seats: Annotated[list[int], Meta(description="the seats that are taken or missing")] | UnsetType = UNSET
    seat_count: Annotated[int, Meta(description="the number of seats of the trip")] | UnsetType = UNSET
    seats_free: Annotated[int, Meta(description="the number of seats that are free")] | UnsetType = UNSET
    classes: Annotated[list[SeatClass], Meta(description="the classes of seats")] | UnsetType = UNSET
    class_names: Annotated[list[str], Meta(description="the names of the classes of seats")] | UnsetType = (
        UNSET
    )
    concessions: Annotated[list[str], Meta(description="the names of the concessions")] | UnsetType = UNSET
    uses_left: (
        Annotated[int, Meta(description="the tickets for which the promo code is left")] | UnsetType
    ) = UNSET
    currency: Annotated[CurrencyCode, Meta(description="the currency of the amounts")] | UnsetType = UNSET
    ticket_fare: Annotated[Money, Meta(description="the fare that the ticket has cost")] | UnsetType = UNSET
    women_seats: Annotated[list[int], Meta(description="the free seats for women")] | UnsetType = UNSET
    free_seats: Annotated[list[int], Meta(description="the free seats for this party")] | UnsetType = UNSET
    shortest_km: (
        Annotated[str, Meta(description="the length in km of the shortest segment sold")] | UnsetType
    ) = UNSET
    sold_from: Annotated[Instant, Meta(description="when shorter segments go on sale")] | UnsetType = UNSET
    tickets: Annotated[list[int], Meta(description="the tickets of the booking")] | UnsetType = UNSET
    fare: Annotated[Money, Meta(description="the fare of today, or of the other seat")] | UnsetType = UNSET
    amount: Annotated[Money, Meta(description="what is to be paid")] | UnsetType = UNSET
    due: Annotated[Money, Meta(description="what the exchange charges")] | UnsetType = UNSET
    refund: Annotated[Money, Meta(description="what the exchange refunds")] | UnsetType = UNSET
    vehicles: (
        Annotated[list[str], Meta(description="the registrations of the vehicles that fit")] | UnsetType
    ) = UNSET
    drivers: Annotated[list[str], Meta(description="the codes of the drivers that are free")] | UnsetType = (
        UNSET
    )
    other_trip: Annotated[OtherTrip, Meta(description="the trip that is the reason")] | UnsetType = UNSET
    state: Annotated[str, Meta(description="the state of the offer")] | UnsetType = UNSET
    seats_left: Annotated[int, Meta(description="the seats that the agent may still sell")] | UnsetType = (
        UNSET
    )
    credit_left: Annotated[Money, Meta(description="the credit that is left")] | UnsetType = UNSET
    settlement_no: Annotated[int, Meta(description="the number of the open settlement")] | UnsetType = UNSET
    limit: Annotated[int, Meta(description="the limit that would be exceeded")] | UnsetType = UNSET
    retry_after: Annotated[int, Meta(description="the number of seconds to wait")] | UnsetType = UNSET


class Refusal(Exception):
    """The server refuses a request. Nothing was changed, except perhaps with reason outcome_unknown.

    reason: one of REASONS. message: a sentence for people. data: its fields of RefusalData.
    """

    def __init__(self, reason: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.data = data

    @property
    def code(self) -> int:
        """The JSON-RPC error code of the reason."""
        return INVALID_PARAMS if self.reason == "bad_request" else REFUSED
