"""The synchronous client is generated from the asynchronous one, and is up to date."""

import pytest

from scripts.generator import CLIENT, NAMES, generate


@pytest.mark.parametrize("name", NAMES)
def test_generated_file_is_up_to_date(name: str) -> None:
    assert (CLIENT / f"{name}.py").read_text() == generate(name), "run scripts/generate"


def test_every_asynchronous_file_has_a_synchronous_one() -> None:
    synchronous = {path.name.removeprefix("async_") for path in CLIENT.glob("async_*.py")}
    assert synchronous == {"transport.py", "http_transport.py", *(f"{name}.py" for name in NAMES)}
