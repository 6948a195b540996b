"""Texts that people write: what is removed from them, and how names are compared."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.protocol import clean_text, fold_name, hidden_character, normalize_text
from busware.server.protocol.text import _FORMAT, _IGNORABLE
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


def test_python_and_sql_agree_on_the_invisible_characters(database: Database) -> None:
    assigned = [c for c in map(chr, range(1, sys.maxunicode + 1)) if _FORMAT.match(c) or _IGNORABLE.match(c)]
    around = {ord(c) + n for c in assigned for n in (-1, 0, 1)} - {0, ord("\n")}
    known = database.query(
        "SELECT n FROM unnest(%s::int[]) AS n WHERE chr(n) ~ ('[' || api.invisible() || ']') ORDER BY n",
        sorted(around),
    )
    assert known == [n for n in map(ord, assigned) if n in around]
