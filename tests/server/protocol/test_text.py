"""Texts that people write: what is removed from them, and how names are compared."""

import sys
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.protocol import clean_text, fold_name, hidden_character, normalize_text
from busware.server.protocol.text import FORMAT, IGNORABLE, VIRAMA
from tests.conftest import Database

JOINED = [
    "ക്‍ഷ", "അവന്‍", "র‍্যাব", "ශ්‍රී", "क्‍ष", "می‌خواهم",  # words
    "👨‍👩‍👧", "🏳️‍🌈", "👩🏽‍⚕️", "❤️‍🔥", "🏴‍☠️", "🧑‍🤝‍🧑",  # emoji
]  # fmt: skip


@pytest.mark.parametrize("text", [*JOINED, "Ülkü – 東京", "#️⃣ 葛󠄀", "ss\nss"])
def test_visible_text_stays(text: str) -> None:
    assert clean_text(text) == text
    assert normalize_text(text) == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Asha\u202e", "Asha"),
        ("\u2067Asha\u2069 \u200f", "Asha"),
        ("one\u2028two\u2029", "one two"),
        ("A\u200bs\u200dh\u200ca\u00ad", "Asha"),  # joiners between letters that are not joined
        ("\u200dक\u200c ख\u200d", "क ख"),
        ("\ufeffAsha\x1b[2J", "Asha[2J"),
        ("Malmo\u0308", "Malmö"),
        ("\u00a0Asha\u2003", "Asha"),
        *((text, "") for text in ("", " ", "\u200b", "\u3164", "\u2800 \ufe0f", "\u0301", "\u115f\u1160")),
    ],
)
def test_text_is_stored_in_its_visible_form(text: str, stored: str) -> None:
    assert normalize_text(text) == stored


@given(st.text())
def test_stored_text_is_stored_again_unchanged(text: str) -> None:
    assert normalize_text(normalize_text(text)) == normalize_text(text)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("asha", None),
        ("ünal iv", None),
        ("അവന്\u200d", None),
        ("က\u1039\u200dက", None),
        ("as\u200bha", "U+200B ZERO WIDTH SPACE"),
        ("as\u200dha", "U+200D ZERO WIDTH JOINER"),
        ("asha\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("asha\ufe0f", "U+FE0F VARIATION SELECTOR-16"),
        ("as\u034fha", "U+034F COMBINING GRAPHEME JOINER"),
        ("asha\u1160", "U+1160 HANGUL JUNGSEONG FILLER"),
        ("asha\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
    ],
)
def test_first_hidden_character_is_named(text: str, hidden: str | None) -> None:
    assert hidden_character(text) == hidden


@pytest.mark.parametrize("name", ["MALMO\u0308  nord", "malmö\u00a0Nord", " Malmö Nord "])
def test_folded_names_are_equal(name: str) -> None:
    assert fold_name(name) == "malmö nord"


def in_list(database: Database, name: str, codes: set[int]) -> set[int]:
    """The characters of these codes that are in a list of sql/21_text.sql."""
    query = f"SELECT n FROM unnest(%s::int[]) AS n WHERE chr(n) ~ ('[' || api.{name}() || ']')"
    return set(database.query(query, sorted(codes)))


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        # The joiners stay where they have a meaning, \n where a text may have lines.
        ("format_characters", lambda c: FORMAT.match(c) and c not in "\u200c\u200d"),
        ("invisible", lambda c: FORMAT.match(c) or IGNORABLE.match(c)),
    ],
)
def test_python_and_sql_agree_on_the_invisible_characters(
    database: Database, name: str, matches: Callable[[str], bool]
) -> None:
    expected = {ord(c) for c in map(chr, range(1, sys.maxunicode + 1)) if matches(c)}
    around = {n + offset for n in expected for offset in (-1, 0, 1)} - {0, ord("\n")}
    assert in_list(database, name, around) == expected


def test_python_and_sql_agree_on_the_viramas(database: Database) -> None:
    assigned = {n for n in range(1, 0x20000) if unicodedata.category(chr(n)) not in ("Cn", "Cs")}
    assert in_list(database, "viramas", assigned) == {
        n for n in assigned if unicodedata.combining(chr(n)) == VIRAMA
    }


@pytest.mark.parametrize("username", ["က\u1039\u200dက", "ක\u0dca\u200dෂ", "ക\u0d4d\u200dഷ"])
def test_joiner_after_a_virama_is_visible(database: Database, username: str) -> None:
    assert hidden_character(username) is None
    assert database.query("SELECT api.visible(%s)", username) == [username]


def test_python_and_sql_fold_names_alike(database: Database) -> None:
    spaces = [c for c in map(chr, range(1, sys.maxunicode + 1)) if c.isspace()]
    names = ["MALMO\u0308  nord", "  Malmö Nord\n", *(f"{c}New{c} {c}Delhi{c}" for c in spaces)]
    assert database.query("SELECT fold_name(name) FROM unnest(%s::text[]) AS name", names) == [
        fold_name(name) for name in names
    ]
