"""Checks the data of a refusal."""

import re
from typing import Any

import msgspec

from busware.server import protocol


def fields_of(reason: str) -> list[str]:
    """The fields of the data that a reason may have: those that its text names."""
    return re.findall(r"`(\w+)`", protocol.REASONS[reason])


def check_data(reason: str, data: dict[str, Any]) -> None:
    """Check that the data of a refusal has only fields of its reason, with their types."""
    msgspec.convert(data, protocol.RefusalData)
    assert data.keys() <= set(fields_of(reason)), f"{reason} has {list(data)}"
