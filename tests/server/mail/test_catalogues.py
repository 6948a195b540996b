"""The catalogues of the messages: complete, up to date, and with the placeholders of the texts."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message

from scripts.translations import LANGUAGES, encode, path, read, updated


def texts(language: str) -> Iterator[Message]:
    """The entries of a catalogue."""
    return (message for message in read(language) if message.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_up_to_date(language: str) -> None:
    """Else run scripts/messages."""
    assert encode(updated(language)) == path(language).read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    entries = list(texts(language))
    assert entries
    assert [message.id for message in entries if not all(_strings(message.string)) or message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_placeholders_of_the_text(language: str) -> None:
    for message in texts(language):
        wanted = {frozenset(placeholders(text)) for text in _strings(message.id)}
        assert {frozenset(placeholders(text)) for text in _strings(message.string)} == wanted, message.id


def placeholders(text: str) -> list[str]:
    """The placeholders of a text, such as %(reference)s."""
    return re.findall(r"%\(\w+\)s", text)


def _strings(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
