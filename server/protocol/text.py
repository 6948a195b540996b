"""Text that people write: removes or finds invisible characters, and folds names for comparison."""

import re
import unicodedata

REFERENCE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ3789"  # as api.reference_alphabet(); a test compares them
_SEPARATORS = "\u2028\u2029"  # of lines and paragraphs
# Control and format characters: they move the cursor, change the direction of text, or take no space. \n is
# left out, because drawings have it. The joiners \u200c and \u200d stay where they have a meaning.
FORMAT = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
# The other characters with the Unicode property Default_Ignorable_Code_Point, and U+2800, a blank symbol.
# api.invisible() in sql/21_text.sql returns the characters of both patterns.
IGNORABLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0080-\U000e0fff]"
)
_JOINERS = "\u200c\u200d"
VIRAMA = 9  # the combining class of the sign that joins two consonants of an Indic script


def clean_text(text: str) -> str:
    """The text without control and format characters. A separator of lines becomes a space."""
    return FORMAT.sub(lambda found: _replacement(found, text), text)


def normalize_text(text: str) -> str:
    """The text as it is stored: NFC, cleaned, without space at its ends; "" if nothing in it can be seen."""
    if text.isascii() and text.isprintable():
        return text.strip()
    cleaned = unicodedata.normalize("NFC", clean_text(text)).strip()
    return cleaned if any(_is_visible(c) for c in cleaned) else ""


def hidden_character(text: str) -> str | None:
    """The first character that cannot be seen, such as U+200B ZERO WIDTH SPACE; None if all can be seen."""
    for n, c in enumerate(text):
        after_virama = n > 0 and unicodedata.combining(text[n - 1]) == VIRAMA
        if (FORMAT.match(c) or IGNORABLE.match(c)) and not (c in _JOINERS and after_virama):
            return f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip()
    return None


def fold_name(name: str) -> str:
    """A name for comparisons: the same for any case, spacing, and canonically equivalent characters."""
    return " ".join(unicodedata.normalize("NFC", name).lower().split())


def _replacement(found: re.Match[str], text: str) -> str:
    character, n = found[0], found.start()
    if character in _SEPARATORS:
        return " "
    joins = character in _JOINERS and n > 0 and _joins(text[n - 1], text[n + 1 : n + 2])
    return character if joins else ""


def _joins(before: str, after: str) -> bool:
    """Whether a joiner has a meaning here: in an emoji, or in a word of a script without capital letters."""
    if unicodedata.combining(before) == VIRAMA:
        return True
    if not after:
        return False
    if unicodedata.category(after) == "So":
        return unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f"  # Sk: a skin tone
    in_word = unicodedata.category(before)[0] in "LM" and unicodedata.category(after)[0] in "LM"
    return in_word and before.lower() == before.upper()


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and not IGNORABLE.match(character)
