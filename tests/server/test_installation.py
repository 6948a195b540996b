"""Command names in a checkout. tests/project/test_wheel.py tests those of an installed server."""

import sys

import pytest

from busware.server import installation
from busware.server.__main__ import main
from tests.support.project import PROJECT


def test_commands_of_a_checkout_are_its_scripts() -> None:
    assert installation.CHECKOUT == PROJECT
    assert (installation.CLIENT, installation.SERVER) == ("scripts/client", "scripts/start")
    assert installation.subcommand("psql") == "scripts/psql"
    assert installation.subcommand("console") == "scripts/start console"


def test_missing_package_is_reported_with_its_extra(capsys: pytest.CaptureFixture[str]) -> None:
    installation.require("server", "msgspec")
    with pytest.raises(SystemExit) as end:
        installation.require("server", "msgspec", "a_package_that_does_not_exist")
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"busware: this command needs more packages. Run: {sys.executable} -m pip install 'busware[server]'\n"
    )


@pytest.mark.parametrize("word", installation.SUBCOMMANDS)
def test_each_subcommand_has_its_own_help(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        main([word, "--help"])
    except SystemExit as end:
        assert end.code in (0, None)
    assert installation.subcommand(word) in capsys.readouterr().out


def test_help_lists_the_subcommands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"  {installation.subcommand(word)} " in shown for word in installation.SUBCOMMANDS)
