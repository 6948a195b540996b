"""Values of pages in the words of a language."""

import pytest

from busware.server.languages import language
from busware.server.pages.rendering import weekdays


@pytest.mark.parametrize(
    ("code", "runs_on", "shown"),
    [
        ("en", "Mon-Fri", "Mon-Fri"),
        ("hi", "Mon-Fri", "सोम-शुक्र"),
        ("hi", "Sat Sun", "शनि रवि"),
        ("hi", "daily", "रोज़"),
        ("kn", "Mon", "ಸೋಮ"),
        ("kn", "never", "ಎಂದಿಗೂ ಇಲ್ಲ"),
    ],
)
def test_weekdays_of_a_service(code: str, runs_on: str, shown: str) -> None:
    assert weekdays(runs_on, language(code)) == shown
