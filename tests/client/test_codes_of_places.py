"""The command line with the code of a place that is not the place meant."""

from tests.client.test_commands import NO_TRIP, Run, run  # noqa: F401 - run is a fixture
from tests.conftest import Database


def test_code_that_is_not_the_place_meant_is_explained(run: Run, database: Database) -> None:  # noqa: F811
    """BLR is the code of an airport, and the beginning of the code of Bengaluru."""
    database.query("INSERT INTO places (code, name) VALUES ('BLR', 'Bengaluru Airport')")
    database.query("UPDATE places SET part_of = 'BLR' WHERE name = 'Ooty'")  # so that a service calls there
    found = run("search", "blr", "mandya", "2026-12-05")
    explained = "blr is the code of Bengaluru Airport. For Bengaluru, type BLRU.\n"
    assert (found.status, found.out, found.err) == (0, NO_TRIP, explained)
    assert run("search", "blru", "ooty", "2026-12-05").err == ""
    refused = run("seats", "1", "2026-12-05", "blr", "mysuru")
    assert (refused.status, refused.err.splitlines()[-1]) == (1, explained.rstrip())
