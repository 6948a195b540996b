"""Holds that are paid to a provider, in the dialogues: how to pay, and whether it is paid by now."""

import pytest

from tests.conftest import Clock, Database, LineClient
from tests.support.payments import sell_online
from tests.support.playing import Play
from tests.support.schema_api import SchemaApi
from tests.support.transcript import ASHA

pytestmark = pytest.mark.settings(
    manual_account="KSRTC, State Bank, account 12345678", manual_upi="ksrtc@sbi", manual_payee="KSRTC"
)
BUS = "bus bengaluru mysuru 2026-12-05"
ARRIVED = """SELECT api.call('settle_payment', jsonb_build_object('reference', %s::text, 'account', 'meera',
    'payment', '{"provider": "manual", "amount": "260.00", "currency": "INR"}'::jsonb
        || jsonb_build_object('provider_reference', %s::text)))"""


@pytest.fixture(autouse=True)
def manual(api: SchemaApi) -> None:
    sell_online(api, "manual", minutes=120)


def arrive(database: Database, reference: str) -> None:
    """The operator finds the transfer in the account."""
    assert database.value(ARRIVED, reference, reference)["outcome"] == "booked"


def receive_with(client: LineClient, part: str) -> None:
    """Receive lines up to one with a text."""
    while part not in client.receive().decode():
        pass


def test_terminal_shows_how_to_pay(play: Play, database: Database) -> None:
    played = play(BUS, "1", "7", "98450 12345", "yes")
    assert played.questions[-1] == "Pay 260.00, and book the seats? (yes or no)"
    held, payment, again = played.shown[-3:]
    assert (held.payment.state, payment.state, again.payment.state) == ("due", "pending", "pending")
    assert payment.pay.text == (
        "Pay 260.00 INR to KSRTC, State Bank, account 12345678, or by UPI to ksrtc@sbi. Write "
        f"{held.reference} as the reference. Your seats are booked when it has arrived."
    )
    assert payment.pay.upi == f"upi://pay?pa=ksrtc@sbi&pn=KSRTC&am=260.00&cu=INR&tn={held.reference}"
    assert played.texts[-2].endswith(f"When you have paid, type: pay {held.reference}")
    waiting = play(f"pay {held.reference} 9845012345")
    assert waiting.texts[0] == "The payment has not arrived yet."
    assert waiting.shown[-1].payment_id == payment.payment_id
    arrive(database, held.reference)
    assert [shown.status for shown in play(f"pay {held.reference} 9845012345").shown] == ["booked"]
    done = play(f"pay {held.reference} 9845012345")
    assert done.texts == [f"There is nothing to pay for booking {held.reference} now."]


def test_seats_are_released_if_the_traveller_does_not_pay(play: Play, api: SchemaApi) -> None:
    played = play(BUS, "1", "7", "98450 12345", "no")
    assert "The seats are released." in played.texts
    assert 7 in api.free()


def test_plain_text_shows_how_to_pay(client_socket: LineClient, database: Database, clock: Clock) -> None:
    client_socket.send(f"bus\nres\n2026-12-05\nany\nany\nbengaluru\nmysuru\n1\n7\n{ASHA}")
    receive_with(client_socket, "Pay 260.00, and book the seats? (yes or no)")
    client_socket.send("yes")
    receive_with(client_socket, "upi://pay?pa=ksrtc@sbi&pn=KSRTC&am=260.00&cu=INR&tn=")
    reference = database.value("SELECT reference FROM passengers")
    receive_with(client_socket, f"pay {reference}.")
    client_socket.send(f"status {reference}")
    receive_with(client_socket, "To be paid before it is booked: 260.00.")
    arrive(database, reference)
    client_socket.send(f"pay {reference}")
    receive_with(client_socket, f"Booked: {reference}")
    client_socket.send(f"status {reference}")
    receive_with(client_socket, "Paid: 260.00.")


def test_payment_that_came_too_late(play: Play, api: SchemaApi, database: Database, clock: Clock) -> None:
    played = play(BUS, "1", "7", "98450 12345", "yes")
    reference = played.shown[-1].reference
    clock.advance(hours=3)
    api.hold(7)
    assert database.value(ARRIVED, reference, reference)["outcome"] == "refunded"
    (shown,) = play(f"status {reference} 9845012345").shown
    assert (shown.status, shown.payment.state) == ("expired", "returned")


def test_exchange_that_costs_more_is_paid_first(play: Play, database: Database) -> None:
    database.query("UPDATE bus_info SET exchange_fee = 10 WHERE bus_id = 1")
    held = play(BUS, "1", "7", "98450 12345", "yes").shown[-1]
    arrive(database, held.reference)
    played = play(f"exchange {held.reference} 9845012345", "2026-12-06", "Mysuru", "1", "yes")
    assert played.questions[-1] == "Exchange, and pay 10.00? (yes or no)"
    payment = played.shown[-1]
    assert (payment.amount, payment.provider_reference) == ("10.00", f"{held.reference}-2")
    assert payment.pay.text.endswith("Your booking is exchanged when it has arrived.")
    assert "The booking is exchanged when the payment has arrived" in played.texts[-1]
