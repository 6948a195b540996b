"""Bookings that exist: open, list, cancel, change, exchange; accounts. Over HTTP and without JavaScript."""

from types import SimpleNamespace

import pytest

from tests.conftest import Database
from tests.support.offers import CAUSE, add_later_bus, displace
from tests.support.page_visitor import PHONE, SEARCH, Visitor


def test_booking_opens_by_reference_and_phone_number(visitor: Visitor, other_visitor: Visitor) -> None:
    reference = visitor.book(3).reference
    closed = other_visitor.get(f"/bookings/{reference}")
    assert (closed.status, "Your ticket" in closed.text) == (404, False)
    form = closed.form("/bookings")
    assert form.value("reference") == reference
    wrong = other_visitor.send(form, phone="98450 54321")
    assert wrong.status == 404
    assert wrong.form("/bookings").value("reference") == reference
    page = other_visitor.send(wrong.form("/bookings"), phone=PHONE, reference=reference.lower())
    assert "Your ticket" in page.text
    assert PHONE not in page.path
    assert reference in other_visitor.get("/bookings").text


def test_booking_is_found_without_its_reference(visitor: Visitor, other_visitor: Visitor) -> None:
    visitor.book(3)
    form = other_visitor.get("/bookings/find").form("/find")
    found = other_visitor.send(form, phone=PHONE, date="2026-12-05", place="Bengaluru")
    assert "Your ticket" in found.text
    nothing = other_visitor.send(form, phone="98450 54321", date="2026-12-05", place="Bengaluru")
    assert nothing.status == 404
    assert nothing.form("/find").value("place") == "Bengaluru"
    assert 'aria-invalid="true" aria-describedby="phone-hint"' in nothing.html


def test_browser_forgets_its_bookings(visitor: Visitor) -> None:
    reference = visitor.book(3).reference
    page = visitor.send(visitor.get("/bookings").form("/forget"))
    assert "has forgotten" in page.text
    assert reference not in page.text
    assert visitor.get(f"/bookings/{reference}").status == 404


@pytest.mark.settings(token_recheck_seconds=0.001)
def test_sign_out_after_the_end_of_the_session_forgets_the_bookings(
    visitor: Visitor, database: Database
) -> None:
    visitor.send(visitor.get("/register").form("/register"), username="asha", password="correct horse")
    reference = visitor.book(3).reference
    form = visitor.get("/account").form("/sign-out")
    database.query("DELETE FROM tokens")
    visitor.send(form)
    assert visitor.get(f"/bookings/{reference}").status == 404


@pytest.mark.parametrize("path", ["", "/cancel", "/calendar.ics", "/ticket.pdf"])
def test_browser_does_not_store_pages_of_a_booking(visitor: Visitor, path: str) -> None:
    reference = visitor.book(3).reference
    assert visitor.get(f"/bookings/{reference}{path}").response.headers["Cache-Control"] == "no-store"


def test_part_of_a_booking_is_cancelled_after_its_quote(visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3, 4, **{"name-1": "Ravi"}).reference
    page = visitor.get(f"/bookings/{reference}/cancel")
    assert "You cancel 2 tickets: Ticket 1, Seat 3 Ravi, Seat 4" in page.text
    assert "Refund, if you have paid: ₹260.00" in page.text
    choice = next(form for form in page.forms if form.method == "get")
    one = visitor.send(choice, ticket="2")
    assert "You cancel 1 ticket: Ravi, Seat 4 Refund, if you have paid: ₹130.00" in one.text
    confirm = next(form for form in one.forms if form.method == "post")
    done = visitor.send(confirm)
    assert "The cancellation is done." in done.text
    assert database.query("SELECT ticket_no, status FROM passengers ORDER BY 1") == [
        (1, "booked"),
        (2, "cancelled"),
    ]
    repeated = visitor.send(confirm)  # the same key: nothing more is done
    assert "The cancellation is done." in repeated.text


def test_ticket_moves_to_another_seat(visitor: Visitor, other_visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3).reference
    form = visitor.get(f"/bookings/{reference}/seat").form("/seat")
    other_visitor.book(4)
    lost = visitor.send(form, ticket="1", seat="4")
    assert lost.status == 409
    assert "Seat 4 is taken" in lost.text
    assert lost.form("/seat").value("seat") == "8"  # the nearest one
    assert "another seat now" in visitor.send(lost.form("/seat")).text
    assert database.value("SELECT seat_no FROM passengers WHERE reference = %s", reference) == 8


@pytest.mark.parametrize(
    ("page", "english", "hindi"),
    [
        ("seat", "Choose one of the free seats.", "खाली सीटों में से एक चुनें।"),
        ("alight", "Choose a stop.", "एक पड़ाव चुनें।"),
    ],
)
def test_change_without_a_choice_says_what_to_choose(
    visitor: Visitor, page: str, english: str, hindi: str
) -> None:
    form = visitor.get(f"/bookings/{visitor.book(3).reference}/{page}").form(f"/{page}")
    for language, text in (("en", english), ("hi", hindi)):
        visitor.session.headers["Accept-Language"] = language
        refused = visitor.send(form)
        assert (refused.status, text in refused.text) == (400, True)


def test_booking_is_exchanged_for_another_date(visitor: Visitor, database: Database) -> None:
    database.query("UPDATE bus_info SET exchange_fee = 20 WHERE bus_id = 1")
    reference = visitor.book(3).reference
    page = visitor.send(visitor.get(f"/bookings/{reference}/exchange").form("/exchange"), date="2026-12-06")
    terms = visitor.get(page.link("Day Bus"))
    assert "Until now: Day Bus, Sat 5 Dec 2026, 10:00, Seat 3" in terms.text
    assert "Fare until now ₹260.00 Fee ₹20.00 To pay in addition: ₹20.00" in terms.text
    assert "The booking is exchanged." in visitor.send(terms.form("/exchange")).text
    assert str(database.value("SELECT travel_date FROM passengers WHERE status = 'booked'")) == "2026-12-06"


def test_trip_without_enough_seats_cannot_be_chosen_for_an_exchange(
    visitor: Visitor, other_visitor: Visitor
) -> None:
    address = f"/bookings/{visitor.book(3, 4).reference}/exchange?date=2026-12-06"
    assert visitor.get(address).link("Day Bus")
    next_day = SEARCH.replace("2026-12-05", "2026-12-06")
    for seats, text in (((1, 2, 3, 4), "4 seats free"), ((5, 6, 7), "Only 1 seat free"), ((8,), "All seats")):
        form = other_visitor.choose(*seats, search=next_day).form("/passengers")
        other_visitor.send(other_visitor.send(form, phone=PHONE).form("/confirm"))
        page = visitor.get(address)
        assert text in page.text
    assert "Day Bus" in page.text
    assert not any("Day Bus" in link for link in page.links)


def test_booking_is_exchanged_for_other_stops_and_seats(
    visitor: Visitor, other_visitor: Visitor, database: Database
) -> None:
    reference = visitor.book(3, 4).reference
    form = visitor.get(f"/bookings/{reference}/exchange").form("/exchange")
    assert (form.value("origin"), form.value("destination")) == ("Bengaluru", "Mysuru")
    unknown = visitor.send(form, destination="Mandia")
    assert 'aria-invalid="true" aria-describedby="destination-hint"' in unknown.html
    page = visitor.send(unknown.form("/exchange"), destination="Mandya")
    terms = visitor.get(page.link("Day Bus"))
    assert "Bengaluru – Mandya" in terms.text
    choice = next(form for form in terms.forms if "seat" in form.names() and form.method == "get")
    assert [value for name, value in choice.fields if name == "seat"] == ["3", "4"]  # they stay by default
    terms = visitor.send(choice, seat=["4", "7"])
    other_visitor.book(7)
    lost = visitor.send(next(form for form in terms.forms if form.method == "post"))
    assert (lost.status, "Seat 7 is taken" in lost.text) == (409, True)
    assert "Chosen instead, as near as possible: Seats 4, 8" in lost.text
    nearest = next(form for form in lost.forms if form.method == "post")
    assert [value for name, value in nearest.fields if name == "seat"] == ["4", "8"]
    assert "The booking is exchanged." in visitor.send(nearest).text
    query = "SELECT seat_no, upper(segment) FROM passengers WHERE reference = %s ORDER BY 1"
    assert database.query(query, reference) == [(4, 3), (8, 3)]


@pytest.mark.settings(manual_account="Busware, IN00 1234")
def test_exchange_that_costs_more_is_paid_first(visitor: Visitor, database: Database) -> None:
    database.query("UPDATE bus_info SET exchange_fee = 20, payment = 'manual' WHERE bus_id = 1")
    reference = visitor.hold(3).reference
    visitor.send(visitor.get(f"/bookings/{reference}").form("/pay"))
    arrived = '{"provider": "manual", "state": "succeeded", "amount": "260.00", "currency": "INR"}'
    database.query(
        "SELECT api.call('payment_result', jsonb_build_object('reference', %s::text, 'payment', %s::jsonb"
        " || jsonb_build_object('provider_reference', %s::text)))",
        reference, arrived, reference,
    )  # fmt: skip
    terms = visitor.get(
        f"/bookings/{reference}/exchange?bus_id=1&travel_date=2026-12-06&from_stop=1&to_stop=5"
    )
    assert "Paid ₹260.00 Fee ₹20.00 To pay: ₹20.00" in terms.text
    page = visitor.send(next(form for form in terms.forms if form.method == "post"))
    assert "Pay ₹20.00" in page.text
    assert f"{reference}-2" in page.text
    assert "The booking is exchanged when the payment has arrived." in page.text


def test_amounts_of_an_exchange_that_have_changed_are_shown_again(
    visitor: Visitor, database: Database
) -> None:
    reference = visitor.book(3).reference
    address = f"/bookings/{reference}/exchange?bus_id=1&travel_date=2026-12-06"
    form = visitor.get(address).form("/exchange")
    database.query("UPDATE bus_info SET exchange_fee = 30 WHERE bus_id = 1")
    page = visitor.send(form)
    assert page.status == 409
    assert page.form("/exchange").value("due") == "30.00"
    assert "The booking is exchanged." in visitor.send(page.form("/exchange")).text


def test_ticket_ends_earlier(visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3).reference
    page = visitor.get(f"/bookings/{reference}/alight")
    assert "Mandya" in page.text
    assert "The journey ends earlier now." in visitor.send(page.form("/alight"), at="3").text
    assert database.value("SELECT upper(segment) FROM passengers") == 3


def test_ticket_gets_another_name(visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3, **{"name-0": "Asha"}).reference
    page = visitor.get(f"/bookings/{reference}/transfer")
    assert visitor.send(page.form("/transfer"), name="").status == 400
    assert "another name now" in visitor.send(page.form("/transfer"), name="Ravi").text
    assert database.value("SELECT name FROM passengers") == "Ravi"


def test_messages_go_to_another_address(visitor: Visitor) -> None:
    reference = visitor.book(3).reference
    page = visitor.get(f"/bookings/{reference}/contact")
    wrong = visitor.send(page.form("/contact"), email="asha@")
    assert wrong.status == 400
    assert wrong.form("/contact").value("email") == "asha@"
    done = visitor.send(wrong.form("/contact"), email="asha@example.org")
    assert "a***@example.org" in done.text
    kept = visitor.send(visitor.get(page.path).form("/contact"), sms="on")
    assert (kept.status, 'aria-describedby="email-hint"' in kept.html) == (409, True)
    sms_only = visitor.send(kept.form("/contact"), sms="on", no_mail="on")
    assert "The messages go there now." in sms_only.text
    assert "a***@example.org" not in sms_only.text


def test_old_page_shows_what_has_changed(visitor: Visitor, database: Database) -> None:
    held = visitor.hold(3)
    old = held.form("/release")
    visitor.send(held.form("/confirm"))
    page = visitor.send(old)
    assert page.status == 409
    assert "already confirmed" in page.text
    assert "Your ticket" in page.text


def test_account_lists_its_bookings(visitor: Visitor, other_visitor: Visitor) -> None:
    form = visitor.get("/register").form("/register")
    short = visitor.send(form, username="asha", password="short")
    assert short.status == 400
    assert short.form("/register").value("username") == "asha"
    assert "My bookings" in visitor.send(short.form("/register"), password="correct horse").text
    reference = visitor.book(3).reference

    sign_in = other_visitor.get(f"/sign-in?to=/bookings/{reference}").form("/sign-in")
    wrong = other_visitor.send(sign_in, username="asha", password="wrong horse")
    assert wrong.status == 401
    assert wrong.form("/sign-in").value("username") == "asha"
    assert wrong.form("/sign-in").value("password") == ""
    page = other_visitor.send(wrong.form("/sign-in"), password="correct horse")
    assert "Your ticket" in page.text
    assert reference in other_visitor.get("/bookings").text

    other_visitor.send(other_visitor.get("/account").form("/sign-out"))
    assert reference not in other_visitor.get("/bookings").text
    assert other_visitor.get(f"/bookings/{reference}").status == 404


def test_double_click_creates_one_account_and_signs_in(visitor: Visitor, other_visitor: Visitor) -> None:
    form = visitor.get("/register").form("/register")
    for _ in range(2):
        page = visitor.send(form, username="asha", password="correct horse")
        assert page.path == "/bookings?done=registered"
        assert "Your account is created" in page.text
    form = other_visitor.get("/register").form("/register")
    taken = other_visitor.send(form, username="asha", password="wrong horse")
    assert (taken.status, "is taken" in taken.text) == (409, True)


@pytest.mark.parametrize("to", ["https://example.org", "//example.org", "/\\example.org"])
def test_sign_in_leads_to_no_other_site(visitor: Visitor, to: str) -> None:
    visitor.send(visitor.get("/register").form("/register"), username="asha", password="correct horse")
    form = visitor.get("/sign-in").form("/sign-in")
    page = visitor.send(form, username="asha", password="correct horse", to=to)
    assert page.path == "/bookings"


def test_account_without_session_asks_to_sign_in(visitor: Visitor) -> None:
    assert visitor.get("/account").path.startswith("/sign-in")


def test_request_for_a_new_password_does_not_say_whether_there_is_an_account(visitor: Visitor) -> None:
    page = visitor.send(visitor.get("/forgotten").form("/forgotten"), account="nobody")
    assert "If there is such an account" in page.text
    wrong = visitor.send(
        visitor.get("/new-password").form("/new-password"), reset_token="x", password="correct horse"
    )
    assert wrong.status == 401


@pytest.mark.settings(manual_upi="busware@bank", manual_account="Busware, IN00 1234")
def test_hold_is_paid_before_it_is_booked(
    visitor: Visitor, server: SimpleNamespace, database: Database
) -> None:
    database.query("UPDATE bus_info SET payment = 'manual' WHERE bus_id = 1")
    held = visitor.hold(3)
    assert not [form for form in held.forms if form.action.endswith("/confirm")]
    assert visitor.get(f"/bookings/{held.reference}/pay").path == held.path  # it starts no payment
    assert database.value("SELECT count(*) FROM payment_intents") == 0
    page = visitor.send(held.form("/pay"))
    assert "Busware, IN00 1234" in page.text
    assert held.reference in page.text
    assert "Day Bus · Sat 5 Dec 2026, 10:00 · Bengaluru – Mysuru · Seat 3" in page.text
    assert 'alt="QR code for a UPI app"' in page.html
    for again in (visitor.send(held.form("/pay")), visitor.get(page.path)):  # a reload gets the page
        assert (again.text, again.response.request.method) == (page.text, "GET")
    assert database.value("SELECT count(*) FROM payment_intents") == 1
    unpaid = visitor.send(page.form("/confirm"))
    assert unpaid.status == 402
    assert "The payment has not arrived yet." in unpaid.text
    assert "Busware, IN00 1234" in unpaid.text  # how to pay it


def test_texts_of_operators_and_passengers_are_not_markup(visitor: Visitor, database: Database) -> None:
    script = "<script>alert(1)</script>"
    database.query("UPDATE bus_info SET name = %s WHERE bus_id = 1", script)
    found = visitor.get("/trips?kind=bus&origin=Bengaluru&destination=Mysuru&date=2026-12-05")
    page = visitor.get(next(link for link in found.links.values() if link.startswith("/trips/1?")))
    form = visitor.send(page.form("/passengers"), add=[("seat", "3")]).form("/passengers")
    held = visitor.send(form, phone=PHONE, **{"name-0": script})
    ticket = visitor.send(held.form("/confirm"))
    for shown in (found, page, held, ticket, visitor.get("/bookings")):
        assert "<script>alert" not in shown.html
    assert script in ticket.text


def test_offer_is_accepted(visitor: Visitor, database: Database) -> None:
    add_later_bus(database)
    reference = visitor.book(3).reference
    displace(database, reference)
    page = visitor.get(f"/bookings/{reference}")
    assert "Your trip has changed" in page.text
    assert page.text.count(CAUSE) == 1
    assert "Your seat on this trip is gone." in page.text
    assert "If you cancel" not in page.text
    offer = visitor.get(page.link("See the offer"))
    assert "Your seat on the trip of Sat 5 Dec 2026, 10:00 is gone." in offer.text
    assert "Instead of Day Bus: Later Bus Sat 5 Dec 2026, 12:00 – 14:45" in offer.text
    assert "2 h 00 min later than Sat 5 Dec 2026, 10:00" in offer.text
    accepted = visitor.send(offer.form("/offer"), answer="accept")
    assert "The offer is accepted." in accepted.text
    assert "Later Bus" in accepted.text
    assert visitor.send(offer.form("/offer"), answer="decline").status == 422  # its key is used


def test_offer_is_declined(visitor: Visitor, database: Database) -> None:
    add_later_bus(database)
    reference = visitor.book(3).reference
    displace(database, reference)
    offer = visitor.get(f"/bookings/{reference}/offer")
    assert "If you have paid, you get ₹260.00 back." in offer.text
    declined = visitor.send(offer.form("/offer"), answer="decline")
    assert "₹260.00 refunded, if paid" in declined.text


def test_message_of_the_operator_appears_and_is_answered(visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3).reference
    database.query("SELECT api.notice('Platform <4>', NULL, NULL, 1, '2026-12-05', gen_random_uuid())")
    page = visitor.get(f"/bookings/{reference}")
    assert "Platform <4>" in page.text
    messages = visitor.get(page.link("All messages"))
    assert "Platform <4>" in messages.text
    answered = visitor.send(messages.form("/messages"), text="Thanks.\nWhen?")
    assert "Thanks. When?" in answered.text
    said = database.query("SELECT body, reference, audience FROM messages WHERE audience = 'operators'")
    assert said == [("Thanks. When?", reference, "operators")]
    assert visitor.send(messages.form("/messages"), text=" ").status == 400


@pytest.mark.settings(says_per_minute=2)
def test_message_form_that_is_sent_again_sends_one_message(visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3).reference
    form = visitor.get(f"/bookings/{reference}/messages").form("/messages")
    for text in ("When?", "When?", "Where?", "When?"):
        assert visitor.send(form, text=text).status == 200
    assert database.query("SELECT body FROM messages ORDER BY message_id") == ["When?", "Where?"]
    assert visitor.send(form, text="Why?").status == 429


def test_messages_are_for_those_who_may_open_the_booking(visitor: Visitor, other_visitor: Visitor) -> None:
    reference = visitor.book(3).reference
    assert other_visitor.get(f"/bookings/{reference}/messages").status == 404


def test_page_follows_its_booking(visitor: Visitor, other_visitor: Visitor) -> None:
    held = visitor.hold(3)
    address = f"{visitor.url}/bookings/{held.reference}/events"
    with visitor.session.get(address, stream=True, timeout=30) as stream:
        lines = stream.iter_lines(decode_unicode=True)
        assert '"status": "held"' in next(line for line in lines if line.startswith("data:"))
    assert other_visitor.session.get(address, timeout=30).status_code == 404


def test_cancelled_trip_says_why(visitor: Visitor, database: Database) -> None:
    reference = visitor.book(3).reference
    database.query("SELECT api.notice('Platform 4', NULL, NULL, 1, '2026-12-05', gen_random_uuid())")
    database.query("SELECT api.console_cancel_trip(1, '2026-12-05', 'Landslide')")
    page = visitor.get(f"/bookings/{reference}")
    assert "This booking is cancelled" in page.text
    assert "The trip does not take place. Landslide" in page.text
    assert "Platform 4" not in page.text  # it is older
    assert "Platform 4" in visitor.get(page.link("All messages")).text
    assert "₹260.00 refunded, if paid" in page.text
