"""Removes control and format characters, which could move the cursor or change the direction of text."""

import unicodedata
from typing import Any

_ALLOWED = "\n\u200c\u200d"  # drawings have line ends; names in some writing systems have joiners


def clean_text(text: str) -> str:
    """The text without control and format characters."""
    return "".join(
        c for c in text if c in _ALLOWED or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp")
    )


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
