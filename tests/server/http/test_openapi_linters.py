"""Linters of other projects have no remark on the OpenAPI document. npm installs them for the test."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest

from busware.server.http import openapi
from tests.support.node import REDOCLY, SPECTRAL, install, run

pytestmark = pytest.mark.system

DOCUMENT = "openapi.json"
RULES = "rules.yaml"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with the linters, the document, and Spectral's rules. It is large, so it is deleted."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        install(folder, REDOCLY, SPECTRAL)
        (folder / DOCUMENT).write_bytes(msgspec.json.encode(openapi.document()))
        (folder / RULES).write_text('extends: ["spectral:oas"]\n')
        yield folder


def test_redocly_has_no_remark(folder: Path) -> None:
    done = run(folder, "redocly", "lint", DOCUMENT, "--format", "json")
    assert json.loads(done.stdout)["problems"] == [], done.stderr


def test_spectral_has_no_remark(folder: Path) -> None:
    done = run(folder, "spectral", "lint", DOCUMENT, "--ruleset", RULES, "--format", "json", "--quiet")
    assert json.loads(done.stdout) == [], done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("redocly", "lint", "wrong.json", "--format", "json"),
        ("spectral", "lint", "wrong.json", "--ruleset", RULES, "--format", "json", "--quiet"),
    ],
)
def test_a_wrong_document_gets_remarks(folder: Path, command: tuple[str, ...]) -> None:
    wrong = openapi.document()
    del wrong["info"]["license"], wrong["info"]["contact"]
    (folder / "wrong.json").write_bytes(msgspec.json.encode(wrong))
    assert "info" in run(folder, *command).stdout
