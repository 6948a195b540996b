"""Amounts as people write them in a locale."""

import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from busware.locales import locale_of
from busware.server.conversation.words import AmountStyle, money
from tests.support.line_client import WAIT_SECONDS


@pytest.mark.parametrize(
    ("environment", "locale"),
    [
        ({}, ""),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "POSIX"}, ""),
        ({"LANG": "en_IN.UTF-8"}, "en_IN"),
        ({"LANG": "de_DE@euro", "LC_MONETARY": "ja_JP"}, "ja_JP"),
        ({"LANG": "de_DE", "LC_ALL": "C"}, ""),
        ({"LANG": "de_DE", "BUSWARE_LANGUAGE": "hi-IN"}, "hi_IN"),
        ({"LANG": "de_DE", "BUSWARE_LANGUAGE": "C"}, ""),
    ],
)
def test_locale_of_the_environment(environment: dict[str, str], locale: str) -> None:
    assert locale_of(environment) == locale


@pytest.fixture
def style() -> Iterator[type[AmountStyle]]:
    yield AmountStyle
    AmountStyle.locale = ""


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "text"),
    [
        ("", "123450.00", "INR", "123,450.00"),
        ("", "12.500", "KWD", "12.500 KWD"),
        ("en_IN", "123450.00", "INR", "₹1,23,450.00"),
        ("en_US", "123450.00", "INR", "₹123,450.00"),
        ("en_IN", "12.500", "KWD", "KWD\N{NO-BREAK SPACE}12.500"),
        ("en_US", "1200", "JPY", "¥1,200"),
        ("de_DE", "-1234.50", "EUR", "-1.234,50\N{NO-BREAK SPACE}€"),
        ("en_IN", "1.250", "IQD", "1.250 IQD"),  # CLDR shows none of its three decimals
        ("xx_YY", "1234.50", "USD", "1,234.50 USD"),
        ("en_IN", "1234.50", None, "1,234.50"),
    ],
)
def test_amount_in_a_locale(
    style: type[AmountStyle], locale: str, amount: str, currency: str | None, text: str
) -> None:
    style.locale = locale
    assert money(amount, currency) == text


def search(server: SimpleNamespace, language: str) -> "subprocess.CompletedProcess[str]":
    """Run `busware search` in a language."""
    command = [sys.executable, "-m", "client", "search", "bengaluru", "mysuru", "2026-12-05"]
    return subprocess.run(
        [*command, "--host", server.host, "--port", str(server.port)],
        text=True,
        capture_output=True,
        timeout=WAIT_SECONDS,
        env=os.environ | {"BUSWARE_LANGUAGE": language},
    )


def test_command_shows_amounts_in_the_language(server: SimpleNamespace) -> None:
    assert "₹260.00" in search(server, "en_IN").stdout
    plain = search(server, "C").stdout
    assert "260.00" in plain
    assert "₹" not in plain


def test_unknown_language_is_named(server: SimpleNamespace) -> None:
    refused = search(server, "klingon")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "BUSWARE_LANGUAGE=klingon is no locale. Give one such as en_IN, or C.\n"
