"""Exchanges the vehicle of a trip for another one, which may have other seats.

The database returns the input of the plan and the version of this input (api.exchange_basis). This module
plans the seats. The database exchanges the vehicle if the version has not changed, checks the seats, and
decides the rest: refunds, offers, messages.
"""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from msgspec import Raw

from busware.server import protocol
from busware.server.booking.reseating import Party, Seat, plan_seats
from busware.server.db.pool import Pool
from busware.server.db.reader import Reader
from busware.server.db.shard_queues import ShardReaders
from busware.server.protocol import Answer

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Basis:
    """The input of a plan."""

    old_seats: list[Seat]
    new_seats: list[Seat]
    parties: list[Party]
    version: str


class VehicleExchanges:
    """Plans and executes exchanges.

    attempts: the most plans for one request, if the trip changes between the plan and the exchange.
    """

    def __init__(self, reader: Reader | ShardReaders, pool: Pool, attempts: int) -> None:
        self._reader = reader
        self._pool = pool
        self._attempts = attempts

    def exchange(self, request: protocol.ExchangeVehicle, account: str | None) -> Answer:
        """The exchange, or its plan. A request with a version executes the plan of this version or none."""
        args = msgspec.to_builtins(msgspec.structs.replace(request, key=None)) | {"account": account}
        read = _encode({name: args[name] for name in ("account", "bus_id", "travel_date", "vehicle")})
        for _ in range(self._attempts):
            answer = self._reader.read(request.method, read)
            if answer.refused:
                return answer
            planned = planned_seats(msgspec.json.decode(answer.body, type=Basis))
            if request.version:
                planned["version"] = request.version
            answer = self._pool.change_fleet(request.method, Raw(_encode(args | planned)), request.key)
            if request.version or not answer.refused or answer.refusal().reason != "plan_changed":
                break
        return answer


def planned_seats(basis: Basis) -> dict[str, Any]:
    """The plan for a basis, as arguments of api.change_fleet. counts: the values of the plan's criteria."""
    plan = plan_seats(basis.old_seats, basis.new_seats, basis.parties)
    criteria = {name: value for name, value in asdict(plan.criteria).items() if name != "priority"}
    return {
        "version": basis.version,
        "seats": [
            {"reference": reference, "ticket_no": ticket_no, "seat_no": seat_no}
            for (reference, ticket_no), seat_no in plan.seats.items()
        ],
        "left_over": plan.left_over,
        "counts": {"tickets": sum(len(party.tickets) for party in basis.parties), **criteria},
    }
