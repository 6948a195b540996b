"""A server with the timetables and a new database, and the bookings of other travellers."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from busware import Passenger, connect

PROJECT = Path(__file__).parent.parent.parent
PICTURES = PROJECT / "docs"
BUS = 309  # a sleeper with two decks, from Bengaluru to Kochi by way of Coimbatore
OPERATOR = "Malabar Starways"  # of BUS
ACCOUNT, PASSWORD = "leela", "malabar night line"  # of the operator
_ADDRESSES = re.compile(r"serves on \S+:(\d+).*?HTTP:\s+(http://[\w.:]+)", re.DOTALL)


class RunningServer(NamedTuple):
    """A server: the port for the client, and the address of the pages."""

    port: int
    url: str
    tomorrow: date


_PARTIES = (  # seats, names, and the places where the party boards and alights
    ([4, 7], ("Anita Nair", "Rahul Nair"), "Bengaluru", "Coimbatore"),
    ([14, 15], ("Joseph Mathew", "Mary Mathew"), "Bengaluru", "Coimbatore"),
    ([2], ("Deepa Menon",), "Bengaluru", "Coimbatore"),
    ([21], ("Arun Kumar",), "Bengaluru", "Coimbatore"),
    ([25], ("Fatima Beevi",), "Bengaluru", "Coimbatore"),
    ([26, 27], ("Suresh Pillai", "Latha Pillai"), "Bengaluru", "Coimbatore"),
)
_LATER_PARTIES = (  # on segments that leave the trip from Bengaluru to Coimbatore as it is
    ([4], ("Vinod Varma",), "Coimbatore", "Kochi"),
    ([2, 3], ("Sara Thomas", "Tom Thomas"), "Coimbatore", "Alappuzha"),
    ([5, 6], ("Gopal Iyer", "Meena Iyer"), "Palakkad", "Thiruvananthapuram"),
    ([7], ("Nisha Raj",), "Thrissur", "Kollam"),
)


@contextmanager
def running_server() -> Iterator[RunningServer]:
    """A server with a database of its own, in which some seats of BUS are taken tomorrow."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-m", "busware.server", "--port", "0", "--data", f"{folder}/data"]
        server = subprocess.Popen(
            command, cwd=PROJECT, env=os.environ | {"BUSWARE_HTTP_PORT": "0"}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            printed = ""
            while not (found := _ADDRESSES.search(printed)):
                printed += next(iter(server.stdout or ()))
            subprocess.run(
                [*command[:3], "operator", "add", ACCOUNT, "--operator", OPERATOR],
                cwd=PROJECT, env=os.environ | {"BUSWARE_DATA": f"{folder}/data"}, text=True, check=True,
                input=f"{PASSWORD}\n", stdout=subprocess.DEVNULL,
            )  # fmt: skip
            yield RunningServer(int(found[1]), found[2], _book_for_others(int(found[1])))
        finally:
            server.terminate()
            server.wait()


def _book_for_others(port: int) -> date:
    """Book some seats, and hold one. Returns the date of the trip."""
    with connect("127.0.0.1", port) as busware:
        tomorrow = busware.today() + timedelta(days=1)
        for seats, names, origin, destination in (*_PARTIES, *_LATER_PARTIES):
            passengers = [Passenger(name=name) for name in names]
            busware.book(
                BUS, tomorrow, origin, destination, seats=seats, phone="98800 99000", passengers=passengers
            )
        busware.hold(BUS, tomorrow, "Bengaluru", "Coimbatore", seats=[28], phone="98800 99000")
        return tomorrow
