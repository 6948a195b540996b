"""Removes control and format characters from the texts of a reply."""

from typing import Any

from busware.server.protocol import clean_text


def cleaned(value: Any) -> Any:
    """A JSON value with every text in it cleaned."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [cleaned(member) for member in value]
        case dict():
            return {name: cleaned(member) for name, member in value.items()}
    return value
