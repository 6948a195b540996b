"""The catalogues of texts for travellers: complete, up to date, and with the placeholders of the texts."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message

from scripts.translations import LANGUAGES, PARTS, encode, path, read, updated

pytestmark = [pytest.mark.parametrize("language", LANGUAGES), pytest.mark.parametrize("part", PARTS)]


def texts(part: str, language: str) -> Iterator[Message]:
    """The entries of a catalogue."""
    return (message for message in read(part, language) if message.id)


def test_catalogue_is_up_to_date(part: str, language: str) -> None:
    """Else run scripts/messages."""
    assert encode(updated(part, language)) == path(part, language).read_bytes()


def test_every_text_is_translated(part: str, language: str) -> None:
    entries = list(texts(part, language))
    assert entries
    assert [message.id for message in entries if not all(_strings(message.string)) or message.fuzzy] == []


def test_translations_have_the_placeholders_of_the_text(part: str, language: str) -> None:
    for message in texts(part, language):
        wanted = {frozenset(placeholders(text)) for text in _strings(message.id)}
        assert {frozenset(placeholders(text)) for text in _strings(message.string)} == wanted, message.id


def placeholders(text: str) -> list[str]:
    """The placeholders of a text, such as %(reference)s."""
    return re.findall(r"%\(\w+\)s", text)


def _strings(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
