"""From the seats to the ticket over HTTP and without JavaScript: names, hold, fare, confirmation."""

import pytest

from tests.conftest import Clock, Database
from tests.support.page_visitor import PHONE, SEARCH, Visitor


def bookings(database: Database) -> list[tuple[str, int, str | None, str]]:
    """The tickets: reference, seat, name and status."""
    return database.query("SELECT reference, seat_no, name, status FROM passengers ORDER BY seat_no")


def test_traveller_books_two_seats(visitor: Visitor, database: Database) -> None:
    page = visitor.choose(3, 4)
    assert "Seat 3" in page.text
    assert "₹520" in page.text
    held = visitor.send(page.form("/passengers"), phone=PHONE, **{"name-0": "Asha", "name-1": "Ravi"})
    assert "Held for you" in held.text
    assert "Held until 09:10" in held.text
    ticket = visitor.send(held.form("/confirm"))
    assert "Your ticket" in ticket.text
    assert 'alt="QR code of the ticket' in ticket.html
    reference = ticket.reference
    assert bookings(database) == [(reference, 3, "Asha", "booked"), (reference, 4, "Ravi", "booked")]
    pdf = visitor.get(f"/bookings/{reference}/ticket.pdf").response
    assert (pdf.headers["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert "BEGIN:VEVENT" in visitor.get(f"/bookings/{reference}/calendar.ics").html


def test_refund_terms_are_shown_before_the_booking(visitor: Visitor, database: Database) -> None:
    seats = visitor.get(visitor.get(SEARCH).link("Day Bus"))
    for page in (seats, visitor.choose(3), held := visitor.hold(3), visitor.send(held.form("/confirm"))):
        assert "until Sat 5 Dec 2026, 10:00: 50 % of the fare is refunded" in page.text
        assert "later: nothing" in page.text
    tiers = '[{"hours": 24, "percent": 90}, {"hours": 2, "percent": 40}]'
    database.query("UPDATE bus_info SET refund_tiers = %s WHERE bus_id = 1", tiers)
    for page in (visitor.get(seats.path), visitor.choose(4), visitor.hold(4)):
        assert "until Fri 4 Dec 2026, 10:00: 90 % of the fare is refunded" in page.text
        assert "later: nothing" in page.text


def test_hold_and_ticket_say_what_is_to_be_paid(visitor: Visitor) -> None:
    held = visitor.hold(3, 4)
    booked = visitor.send(held.form("/confirm"))
    assert "To pay on board: ₹520.00" in held.text
    assert "To pay on board: ₹520.00" in booked.text
    page = visitor.get(f"/bookings/{booked.reference}/cancel?ticket=1")
    cancel = next(form for form in page.forms if form.method == "post")
    rest = visitor.send(cancel).text
    parts = "Valid tickets ₹260.00 Kept of the cancelled tickets ₹130.00 Total ₹390.00"
    assert f"{parts} To pay on board: ₹390.00" in rest
    assert "Cancelled ₹130.00 refunded, if paid" in rest


def test_best_seats_by_count(visitor: Visitor, database: Database) -> None:
    page = visitor.choose(search=SEARCH.replace("seats=1", "seats=3"))
    held = visitor.send(page.form("/passengers"), phone=PHONE)
    assert "₹780.00" in held.text
    assert len(bookings(database)) == 3


def test_what_was_typed_stays_in_a_refused_form(visitor: Visitor, database: Database) -> None:
    page = visitor.hold(3, phone="abc", **{"name-0": 'Asha "Ash" <b>'})
    form = page.form("/passengers")
    assert page.status == 400
    assert form.value("name-0") == 'Asha "Ash" <b>'
    assert form.value("phone") == "abc"
    assert form.value("seat") == "3"
    assert 'id="phone"' in page.html
    assert 'aria-invalid="true" aria-describedby="phone-hint"' in page.html
    assert "<b>" not in page.html
    assert bookings(database) == []
    assert "Held for you" in visitor.send(form, phone=PHONE).text


def test_missing_phone_number_is_said_at_its_field(visitor: Visitor) -> None:
    page = visitor.hold(3, phone="")
    assert page.status == 400
    assert 'aria-invalid="true"' in page.html


def test_double_click_and_back_button_book_once(visitor: Visitor, database: Database) -> None:
    form = visitor.choose(3).form("/passengers")
    first, second = (visitor.send(form, phone=PHONE) for _ in range(2))
    assert first.reference == second.reference
    again = visitor.choose(4)
    reopened = visitor.get(again.path)  # as a browser does that has not kept the page
    one = visitor.send(again.form("/passengers"), phone=PHONE)
    other = visitor.send(reopened.form("/passengers"), phone=PHONE)
    assert one.reference == other.reference
    confirm = one.form("/confirm")
    visitor.send(confirm)
    assert "Your ticket" in visitor.send(confirm).text
    assert len(bookings(database)) == 2


def test_link_of_another_traveller_does_not_get_the_same_booking(
    visitor: Visitor, other_visitor: Visitor, database: Database
) -> None:
    page = visitor.choose(search=SEARCH)
    shared = other_visitor.get(page.path)
    first = visitor.send(page.form("/passengers"), phone=PHONE)
    second = other_visitor.send(shared.form("/passengers"), phone=PHONE)
    assert first.reference != second.reference


def test_lost_race_keeps_the_names_and_offers_the_nearest_seats(
    visitor: Visitor, other_visitor: Visitor, database: Database
) -> None:
    form = visitor.choose(3, 7).form("/passengers")
    other_visitor.book(3)
    page = visitor.send(form, phone=PHONE, **{"name-0": "Asha"})
    assert page.status == 409
    assert "Seat 3 is taken" in page.text
    again = page.form("/passengers")
    assert [value for name, value in again.fields if name == "seat"] == ["4", "7"]
    assert again.value("name-0") == "Asha"
    held = visitor.send(again)
    assert [seat for reference, seat, _, _ in bookings(database) if reference == held.reference] == [4, 7]


def test_party_that_loses_a_seat_stays_whole(
    visitor: Visitor, other_visitor: Visitor, database: Database
) -> None:
    form = visitor.choose(3, 7).form("/passengers")
    for seat in (1, 2, 3, 4, 5, 6, 8):
        other_visitor.book(seat)
    page = visitor.send(form, phone=PHONE, **{"name-0": "Asha", "name-1": "Ravi"})
    assert page.status == 409
    again = page.form("/passengers")
    assert {"name-1", "waitlist"} <= again.names()
    assert "seat" not in again.names()
    waiting = visitor.send(again)
    assert "You are on the waitlist" in waiting.text
    query = "SELECT name FROM passengers WHERE status = 'pending' ORDER BY name"
    assert database.query(query) == ["Asha", "Ravi"]


def test_form_with_fewer_seats_than_passengers_is_refused(visitor: Visitor, database: Database) -> None:
    form = visitor.choose(3, 4).form("/passengers")
    page = visitor.send(form, phone=PHONE, seat="3")
    assert page.status == 400
    assert "there are 2 passengers" in page.text
    assert "name-1" in page.form("/passengers").names()
    assert bookings(database) == []


def test_form_that_is_shown_again_keeps_its_key(visitor: Visitor) -> None:
    form = visitor.choose(3).form("/passengers")
    refused = visitor.send(form, phone="abc").form("/passengers")
    assert refused.value("key") == form.value("key")


def test_hold_that_has_expired_can_be_booked_while_its_seats_are_free(
    visitor: Visitor, clock: Clock, database: Database
) -> None:
    held = visitor.hold(3)
    clock.advance(minutes=11)
    late = visitor.get(held.path)
    assert "The time for this hold is over" in late.text
    assert visitor.get(late.link("Choose again on this trip")).form("/passengers").method == "get"
    assert "Your ticket" in visitor.send(late.form("/confirm")).text


def test_hold_that_has_expired_and_whose_seat_is_taken_says_so(
    visitor: Visitor, other_visitor: Visitor, clock: Clock
) -> None:
    held = visitor.hold(3)
    clock.advance(minutes=11)
    other_visitor.book(3)
    page = visitor.send(held.form("/confirm"))
    assert page.status == 409
    assert "hold has expired" in page.text


def test_released_hold_frees_the_seats(visitor: Visitor, other_visitor: Visitor) -> None:
    page = visitor.send(visitor.hold(3).form("/release"))
    assert "This booking is cancelled" in page.text
    assert "Your ticket" in other_visitor.book(3).text


def test_full_trip_offers_the_waitlist(visitor: Visitor, other_visitor: Visitor, database: Database) -> None:
    for seat in range(1, 9):
        other_visitor.book(seat)
    found = visitor.get(SEARCH)
    assert "Full: waitlist" in found.text
    trip = visitor.get(found.link("Day Bus")).text
    assert "Join the waitlist" in trip
    assert "All seats are taken." in trip
    assert not [text for text in ("Choose for me", "Choose seats", "Held by another") if text in trip]
    page = visitor.choose()
    waiting = visitor.send(page.form("/passengers"), phone=PHONE)
    assert "You are on the waitlist" in waiting.text
    assert "Position 1 If 1 seat becomes free in time, you get it." in waiting.text
    assert "Nothing is paid yet. If you get none, you pay nothing." in waiting.text
    assert "No seat yet" in waiting.text
    assert "Total" not in waiting.text
    contact = visitor.get(waiting.link("Add an e-mail address"))
    reachable = visitor.send(contact.form("/contact"), email="asha@example.org")
    assert "Then you get a message." in reachable.text


@pytest.mark.parametrize("path", ["/trips/99", "/trips/99/passengers", "/trips/1x"])
def test_unknown_trip_is_a_page(visitor: Visitor, path: str) -> None:
    page = visitor.get(SEARCH.replace("/trips", path))
    assert page.status == 404
    assert "There is no such trip" in page.text
