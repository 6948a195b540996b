"""Words that the project does not use: docs/style.md asks for plain technical English."""

import re

import pytest

from tests.project.test_layout import TEXTS

AVOIDED_WORDS = re.compile(r"\b(whoever|somebody|told|pen|bell|stirred|let_go)\b", re.IGNORECASE)
CHECKED = (".md", ".py", ".sql")
ALLOWED = {  # file → a pattern of the lines that may have an avoided word
    "docs/style.md": r".*",  # lists words to avoid
    "tests/project/test_words.py": r".*",
    "sql/22_read_value.sql": r"'[A-Z|]*PEN[A-Z|]*'",  # the currency of Peru
}


def lines_with_avoided_words(name: str, text: str) -> list[str]:
    """The lines of a file that have an avoided word and are not in ALLOWED."""
    allowed = re.compile(ALLOWED.get(name, r"(?!)"))
    return [
        line for line in text.splitlines() if AVOIDED_WORDS.search(line) and not allowed.match(line.strip())
    ]


def test_no_file_has_an_avoided_word() -> None:
    checked = {name: text for name, text in TEXTS.items() if name.endswith(CHECKED)}
    found = {name: lines for name, text in checked.items() if (lines := lines_with_avoided_words(name, text))}
    assert found == {}


@pytest.mark.parametrize("line", ["# Whoever asks", "somebody = 1", "writer.let_go()", "it is told"])
def test_avoided_word_is_found(line: str) -> None:
    assert lines_with_avoided_words("server/start.py", line) == [line]
    assert lines_with_avoided_words("docs/style.md", line) == []
