"""A trip with seats of its own (trips.own_seats): all that reads or sells seats uses them."""

import pytest
from psycopg.types.json import Jsonb

from tests.support.fleet import SEATS, add_fleet, assign, edit_service, put_vehicle
from tests.support.schema_api import DAY, OTHER_DAY, Answer, SchemaApi, audit

SMALL = "...D\ns.s\ns.s\ns.s"  # six seats, each alone in its column; SEATS has eight
LOCAL = {"bus_id": 1, "travel_date": DAY}


def give_seats(api: SchemaApi, layout: str = SMALL, **lists: object) -> None:
    """Give service 1 on DAY, which has no tickets, these seats."""
    own = {"layout": layout, "seat_classes": None, "women_seats": None, "accessible_seats": None, **lists}
    update = "UPDATE trips SET own_seats = %s WHERE bus_id = 1 AND travel_date = %s"
    api.conn.execute(update, (Jsonb(own), DAY))
    api.conn.execute("DELETE FROM seats WHERE bus_id = 1 AND travel_date = %s", (DAY,))
    api.conn.execute(
        "INSERT INTO seats (bus_id, travel_date, seat_no) SELECT 1, %s, seat_no FROM api.layout_seats(%s)",
        (DAY, layout),
    )


def places(api: SchemaApi, day: str = DAY) -> list[tuple[int, int]]:
    """Row and column of each seat, by the seat map."""
    shown = api.read("seat_map", bus_id=1, travel_date=day, from_stop=1, to_stop=5)
    return [(seat["row"], seat["column"]) for seat in shown["seats"]]


def found(api: SchemaApi) -> Answer:
    """The trip of service 1 on DAY, as a search finds it."""
    trips = api.read("search", origin="Bengaluru", destination="Mysuru", date=DAY)["trips"]
    return next(trip for trip in trips if trip["bus_id"] == 1)


def test_the_seats_are_shown_and_counted(api: SchemaApi) -> None:
    add_fleet(api)
    other_day = places(api, OTHER_DAY)
    give_seats(api)
    assert places(api) == [(row, column) for row in (2, 3, 4) for column in (1, 3)]
    assert places(api, OTHER_DAY) == other_day
    assert api.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=5)["layout"] == SMALL
    assert found(api)["seats_free"] == 6
    trip = next(t for t in api.read("trips", account="ksrtc", date=DAY)["trips"] if t["bus_id"] == 1)
    assert trip["seats"] == 6
    for method in ("load", "occupancy"):
        shown = api.read(method, account="ksrtc", **LOCAL)
        assert (shown["seats"], shown["legs"][0]["free"]) == (6, 6)
    chart = api.read("occupancy", account="ksrtc", **LOCAL)["occupancy"]
    assert [seat["seat_no"] for seat in chart] == [1, 2, 3, 4, 5, 6]
    for view in ("trips", "occupancy"):
        rows = api.conn.execute(
            f"SELECT DISTINCT seats FROM busware_reports.{view} WHERE bus_id = 1 AND travel_date = %s",  # type: ignore[arg-type]
            (DAY,),
        )
        assert rows.fetchall() == [(6,)]


def test_seats_are_chosen_by_their_places(api: SchemaApi) -> None:
    party = api.book(count=2)
    assert [ticket["seat_no"] for ticket in party["tickets"]] == [1, 2]  # side by side
    api.cancel(party)
    api.conn.execute("UPDATE passengers SET former_seat = seat_no, seat_no = NULL")
    assert [ticket["seat_no"] for ticket in api.show(party)["tickets"]] == [1, 2]
    give_seats(api, "...D\ns...s\ns....")
    assert [ticket["seat_no"] for ticket in api.book(count=2)["tickets"]] == [1, 3]  # one behind the other


def test_classes_and_reserved_seats(api: SchemaApi) -> None:
    edit_service(api, seat_classes=[{"name": "Premium", "seats": [1, 2], "amount": "50.00"}])
    give_seats(
        api,
        seat_classes=[{"name": "premium", "seats": [6]}, {"name": "Sofa", "seats": [5]}],
        women_seats=[1],
        accessible_seats=[2],
    )
    assert api.book(1)["reason"] == "reserved_seat"
    assert api.book(2)["reason"] == "reserved_seat"
    premium, other, sofa = (api.book(seat) for seat in (6, 3, 5))
    assert float(premium["fare"]) == float(other["fare"]) + 50 == float(sofa["fare"]) + 50
    assert api.book(count=1, seat_class="Premium")["reason"] == "sold_out"
    assert api.change("change_seat", other, ticket_no=1, seat_no=6)["reason"] == "seat_taken"
    assert api.change("change_seat", premium, ticket_no=1, seat_no=4)["reason"] == "other_fare"
    assert (found(api)["women_seats_free"], found(api)["accessible_seats_free"]) == (1, 1)
    shown = api.read("seat_map", bus_id=1, travel_date=DAY, from_stop=1, to_stop=5)["seats"]
    assert {seat["seat_no"] for seat in shown if seat.get("seat_class") == "Premium"} == {6}
    assert [seat.get("reserved_for") for seat in shown[:3]] == ["women", "accessible", None]
    edit_service(api, seat_classes=[{"name": "Premium", "seats": [1, 2], "amount": "80.00"}])
    api.cancel(premium)
    assert float(api.book(6)["fare"]) == float(other["fare"]) + 80  # the service decides the fare of a class


def test_the_waitlist_uses_the_seats_of_the_trip(api: SchemaApi) -> None:
    give_seats(api, "...D\nss")
    booking = api.book(1, 2)
    waiting = api.book(count=2, waitlist=True)
    assert waiting["status"] == "pending"
    assert api.book(count=3, waitlist=True)["reason"] == "sold_out"  # the trip has two seats
    api.cancel(booking)
    assert api.show(waiting)["status"] == "booked"


def test_an_edit_of_the_service_does_not_change_the_seats_of_the_trip(api: SchemaApi) -> None:
    give_seats(api)
    api.book(6)
    before = places(api)
    edit_service(api, layout="...D\nss", blocked_seats=[1])
    assert (places(api), len(places(api, OTHER_DAY))) == (before, 2)
    assert api.free() == [1, 2, 3, 4, 5]
    assert api.free(travel_date=OTHER_DAY) == [2]
    edit_service(api, blocked_seats=[])
    assert api.free() == [1, 2, 3, 4, 5]
    api.conn.execute("SELECT api.cancel_trip(1, %s), api.open_trip(NULL, 1, %s)", (DAY, DAY))
    assert places(api) == before


def test_a_vehicle_needs_the_seats_of_the_trip(api: SchemaApi) -> None:
    add_fleet(api)
    put_vehicle(api, "KA09S1", layout=SMALL)
    give_seats(api)
    refused = assign(api, vehicle="KA09F1")
    assert (refused["reason"], refused["vehicles"]) == ("wrong_layout", ["KA09S1"])
    assert assign(api, vehicle="KA09S1")["assigned"] == 1
    assert assign(api, until=OTHER_DAY, vehicle="KA09F1")["reason"] == "wrong_layout"
    assert put_vehicle(api, "KA09S1", layout=SEATS)["reason"] == "already_assigned"
    edit_service(api, layout="...D\nss")  # KA09S1 lacks some of these seats
    assert audit(api.conn) == []


@pytest.mark.parametrize("drawing", [SEATS, SMALL, "a bus: \nss\nlower:\nbb.b\n\nroof:\n...D\nsr"])
def test_seats_are_counted_in_a_drawing(api: SchemaApi, drawing: str) -> None:
    counted = "SELECT api.seat_count(%s), (SELECT count(*) FROM api.layout_seats(%s))"
    ((fast, slow),) = api.conn.execute(counted, (drawing, drawing)).fetchall()
    assert fast == slow
