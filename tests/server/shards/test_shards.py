"""What travellers and operators see of an installation with shards: the same as of one database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from busware import Client, Refusal, connect
from busware.server import protocol
from tests.support.booking_load import BookingLoad
from tests.support.line_client import wait_until
from tests.support.processes import ServerProcess
from tests.support.schema_api import ASHA
from tests.support.shards import BUSES, FIRST_BUS, ShardedInstallation

pytestmark = pytest.mark.system

BOOKINGS = 50
ALL_BUSES = range(FIRST_BUS, FIRST_BUS + BUSES)


@pytest.fixture(scope="module")
def server(sharded: ShardedInstallation) -> Iterator[ServerProcess]:
    with sharded.server() as server:
        yield server
    assert sharded.audit() == []


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    with connect("127.0.0.1", server.port, tries=1) as client:
        yield client


@pytest.fixture
def day(client: Client) -> date:
    return client.today() + timedelta(days=3)


def book(client: Client, bus_id: int, day: date, **named: Any) -> Any:
    return client.book(bus_id, day, "Bengaluru", "Mysuru", **({"count": 1, "phone": ASHA} | named))


def test_search_merges_the_trips_of_all_shards_in_order(client: Client, day: date) -> None:
    found = client.search("Bengaluru", "Mysuru", day)
    assert [(trip.departs_at, trip.arrives_at, trip.bus_id) for trip in found] == sorted(
        (trip.departs_at, trip.arrives_at, trip.bus_id) for trip in found
    )
    assert {trip.bus_id for trip in found} >= {1, 2, *ALL_BUSES}


def test_search_refuses_a_date_that_no_shard_sells(client: Client) -> None:
    with pytest.raises(Refusal) as refused:
        client.search("Bengaluru", "Mysuru", client.today() + timedelta(days=40))
    assert refused.value.reason == "bad_request"


def test_search_counts_the_trips_of_all_shards_on_the_dates_around(client: Client, day: date) -> None:
    search = protocol.Search(origin="Bengaluru", destination="Mysuru", date=day, days_around=1)
    found = client.call(search, protocol.TripList)
    assert [one.date for one in found.dates or []] == [day + timedelta(days=n) for n in (-1, 0, 1)]
    assert {one.trips for one in found.dates or []} == {len(found.trips)}
    places = client.call(protocol.Places(origin="Bengaluru"), protocol.PlaceList)
    assert (found.on_sale_from, found.on_sale_until) == (places.on_sale_from, places.on_sale_until)


@pytest.fixture
def same_name(sharded: ShardedInstallation) -> Iterator[str]:
    """A name of two places, of which the services of one shard reach only one."""
    places = ["OOTY", "RMNG"]
    for statement in ("array_append(aliases, %s)", "array_remove(aliases, %s)"):
        for machine in (sharded.proxy, *sharded.shards):
            with machine.connect() as conn:
                update = f"UPDATE places SET aliases = {statement} WHERE code = ANY (%s)"
                conn.execute(update.encode(), ("Hilltown", places))
        if "append" in statement:
            yield "Hilltown"


def test_search_refuses_a_name_of_two_places_that_different_shards_serve(
    client: Client, day: date, same_name: str
) -> None:
    with pytest.raises(Refusal) as refused:
        client.search("Bengaluru", same_name, day)
    assert refused.value.reason == "ambiguous_place"
    assert [place["code"] for place in refused.value.data["places"]] == ["OOTY", "RMNG"]


def test_places_have_the_kinds_of_all_shards(client: Client) -> None:
    places = client.places()
    assert {place.name for place in places} >= {"Bengaluru", "Mysuru", "Ooty"}
    assert all(place.kinds == ["bus"] for place in places)


def test_a_booking_lives_in_the_shard_of_its_service(
    client: Client, day: date, sharded: ShardedInstallation
) -> None:
    for bus_id in ALL_BUSES:
        booking = book(client, bus_id, day)
        assert client.booking(booking.reference, phone=ASHA).bus_id == bus_id
        with sharded.shards[bus_id % 2].connect() as conn:
            found = conn.execute("SELECT bus_id FROM passengers WHERE reference = %s", [booking.reference])
            assert found.fetchall() == [(bus_id,)]
        assert client.cancel(booking.reference, phone=ASHA).status == "cancelled"


def test_a_repeated_request_is_done_once(client: Client, day: date) -> None:
    first, again = (book(client, FIRST_BUS, day, key="the same request") for _ in range(2))
    assert first.reference == again.reference


def test_find_finds_bookings_of_all_shards(client: Client, day: date) -> None:
    phone = "+919845077777"
    booked = {book(client, bus_id, day, phone=phone).reference for bus_id in ALL_BUSES}
    assert set(client.find(phone, day, "Bengaluru")) == booked


def test_bookings_of_an_account_are_paged_over_all_shards(client: Client, day: date) -> None:
    client.register("asha", "a long password")
    made = [book(client, FIRST_BUS + n % BUSES, day, phone=None).reference for n in range(7)]
    pages, after = [], None
    while True:
        page = client.call(protocol.Bookings(limit=3, after=after), protocol.BookingList)
        pages.append([booking.reference for booking in page.bookings])
        after = page.next
        if not after:
            break
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [reference for page in pages for reference in page] == made[::-1]


def test_an_exchange_for_a_service_of_another_virtual_shard_is_refused(client: Client, day: date) -> None:
    booking = book(client, FIRST_BUS, day)
    with pytest.raises(Refusal) as refused:
        client.exchange_quote(booking.reference, phone=ASHA, bus_id=FIRST_BUS + 1)
    assert refused.value.reason == "unsupported"
    client.cancel(booking.reference, phone=ASHA)


def test_a_stopped_shard_is_busy_and_the_other_sells(
    server: ServerProcess, sharded: ShardedInstallation
) -> None:
    stopped, other = sharded.shards
    trips = sharded.trips(other)
    ((bus_id, day), *_) = sharded.trips(stopped)
    before = sharded.references()
    with BookingLoad([server.port], trips) as load, connect("127.0.0.1", server.port, tries=1) as client:
        load.wait_for(BOOKINGS)
        stopped.stop()
        for _ in range(3):
            with pytest.raises(Refusal) as refused:
                book(client, bus_id, day)
            assert refused.value.reason == "busy"
        with pytest.raises(Refusal) as refused:
            client.seat_map(bus_id, day, "Bengaluru", "Mysuru")
        assert refused.value.reason == "busy"
        load.wait_for(BOOKINGS)
        found = wait_until(lambda: search_or_none(client, day), 30, 0.1)
        assert all(trip.bus_id % 2 != bus_id % 2 for trip in found)
        load.wait_for(BOOKINGS)
        stopped.start_again()
        reference = wait_until(lambda: book_or_none(client, bus_id, day), 30, 0.1)
    assert not load.errors
    assert sharded.references() - before == load.acknowledged.keys() | {reference}


def search_or_none(client: Client, day: date) -> Any:
    try:
        return client.search("Bengaluru", "Mysuru", day)
    except Refusal as refusal:
        assert refusal.reason == "busy"
        return None


def book_or_none(client: Client, bus_id: int, day: date) -> str | None:
    try:
        return str(book(client, bus_id, day).reference)
    except Refusal as refusal:
        assert refusal.reason == "busy"
        return None


def test_a_frozen_shard_delays_its_own_services_alone(
    server: ServerProcess, sharded: ShardedInstallation
) -> None:
    frozen, other = sharded.shards
    ((bus_id, day), *_) = sharded.trips(frozen)
    with BookingLoad([server.port], sharded.trips(other)) as load:
        with connect("127.0.0.1", server.port, 60, tries=1) as client, frozen.frozen():
            wait_until(lambda: is_away(sharded, 1), 30, 0.1)
            with pytest.raises(Refusal) as refused:
                book(client, bus_id, day)
            assert refused.value.reason == "busy"
            assert wait_until(lambda: search_or_none(client, day), 30, 0.1)
            load.wait_for(BOOKINGS)
        wait_until(lambda: not is_away(sharded, 1), 30, 0.1)
    assert not load.errors
    with connect("127.0.0.1", server.port, tries=1) as client:
        assert wait_until(lambda: book_or_none(client, bus_id, day), 30, 0.1)


def test_only_writes_have_a_limit_for_locks(sharded: ShardedInstallation) -> None:
    shard = sharded.shards[0]
    ((bus_id, day), *_) = sharded.trips(shard)
    with (
        sharded.server(BUSWARE_LOCK_WAIT_MS="1") as server,
        connect("127.0.0.1", server.port, tries=1) as client,
        ThreadPoolExecutor(1) as pool,
        shard.connect() as holder,
    ):
        holder.execute("BEGIN; LOCK TABLE passengers")
        assert book_or_none(client, bus_id, day) is None
        read = pool.submit(client.seat_map, bus_id, day, "Bengaluru", "Mysuru")
        waiting = "SELECT FROM pg_locks WHERE NOT granted"
        wait_until(lambda: holder.execute(waiting).fetchall() or read.done())
        holder.execute("ROLLBACK")
        assert read.result().bus_id == bus_id


def is_away(sharded: ShardedInstallation, number: int) -> bool:
    with sharded.proxy.connect() as conn:
        query = "SELECT away FROM shards.databases WHERE database_no = %s"
        ((away,),) = conn.execute(query, [number])
    return bool(away)
