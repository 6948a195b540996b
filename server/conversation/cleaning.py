"""What reaches a screen: texts without what could move a cursor or turn its direction."""

import unicodedata
from typing import Any

_HARMLESS = "\n\u200c\u200d"  # a drawing has lines; the joiners spell names of several scripts


def clean_text(text: str) -> str:
    """The text without control and format characters."""
    return "".join(
        c for c in text if c in _HARMLESS or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp")
    )


def cleaned(value: Any) -> Any:
    """What JSON is made of, with every text in it cleaned."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [cleaned(member) for member in value]
        case dict():
            return {name: cleaned(member) for name, member in value.items()}
    return value
