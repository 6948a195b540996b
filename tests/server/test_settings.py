"""The settings: accepted values, error messages, where they are read from, and .env.example."""

import dataclasses
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from busware.server import settings
from busware.server.setting_kinds import FLAG, NETWORKS
from busware.server.settings import Settings, SettingsError, variable
from tests.support.project import PROJECT

FIELDS = {variable(field): field for field in dataclasses.fields(Settings)}


def test_unset_and_empty_variables_are_the_defaults() -> None:
    assert Settings.load({}) == Settings()
    assert Settings.load(dict.fromkeys(FIELDS, "")) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("BUSWARE_PORT", "0", 0),
        ("BUSWARE_PORT", " 65535 ", 65535),
        ("BUSWARE_PORTS", "Bus:9996, chat : 0,bus:9997", (("bus", 9996), ("chat", 0), ("bus", 9997))),
        ("BUSWARE_IDLE_SECONDS", "0.25", 0.25),
        ("BUSWARE_ATTEMPTS_PER_BOOKING", str(2**31 - 1), 2**31 - 1),
        ("BUSWARE_SEED", "False", False),
        ("BUSWARE_LOG_LEVEL", "debug", "DEBUG"),
        ("BUSWARE_PHONE_REGION", "gb", "GB"),
        ("BUSWARE_HOST", "::1", "::1"),
        ("BUSWARE_DATA", "elsewhere", PROJECT / "elsewhere"),
        ("BUSWARE_DATA", "/srv/busware", Path("/srv/busware")),
        ("BUSWARE_DATA", "~/busware", Path.home() / "busware"),
        ("DATABASE_URL", "postgresql://a:b@c/d", "postgresql://a:b@c/d"),
        (
            "BUSWARE_EXEMPT_NETWORKS",
            "127.0.0.0/8, 2001:DB8::/48,10.0.0.7",
            (ip_network("127.0.0.0/8"), ip_network("2001:db8::/48"), ip_network("10.0.0.7/32")),
        ),
        ("BUSWARE_HTTP_HOSTS", "Bus.Example ,10.0.0.7", ("bus.example", "10.0.0.7")),
        (
            "BUSWARE_HTTP_ORIGINS",
            "https://Shop.example:444, http://b",
            ("https://shop.example:444", "http://b"),
        ),
        ("BUSWARE_HTTP_ORIGINS", "*", ("*",)),
    ],
)
def test_accepted_value(name: str, text: str, value: Any) -> None:
    assert getattr(Settings.load({name: text}), FIELDS[name].name) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BUSWARE_PORT", "65536"),
        ("BUSWARE_PORT", "-1"),
        ("BUSWARE_PORT", "http"),
        ("BUSWARE_PORT", "９９９９"),
        ("BUSWARE_PORTS", "9996"),
        ("BUSWARE_PORTS", "bus"),
        ("BUSWARE_PORTS", "bus:9996,"),
        ("BUSWARE_PORTS", "train:9996"),
        ("BUSWARE_PORTS", "bus:65536"),
        ("BUSWARE_MAX_CLIENTS", "0"),
        ("BUSWARE_MAX_CLIENTS", "1e3"),
        ("BUSWARE_MAX_CLIENTS", "1" * 400),
        ("BUSWARE_ATTEMPTS_PER_BOOKING", str(2**31)),
        ("BUSWARE_MAX_LINE_BYTES", "10"),
        ("BUSWARE_IDLE_SECONDS", "0"),
        ("BUSWARE_IDLE_SECONDS", "inf"),
        ("BUSWARE_IDEMPOTENCY_HOURS", "0.9"),
        ("BUSWARE_MESSAGE_DAYS", "0.99"),
        ("BUSWARE_MESSAGE_DAYS", "1000001"),
        ("BUSWARE_SEED", "maybe"),
        ("BUSWARE_LOG_LEVEL", "LOUD"),
        ("BUSWARE_PHONE_REGION", "India"),
        ("BUSWARE_HOST", "two words"),
        ("BUSWARE_HTTP_HOSTS", "https://bus.example"),
        ("BUSWARE_HTTP_ORIGINS", "shop.example"),
        ("BUSWARE_HTTP_ORIGINS", "https://shop.example/"),
        ("BUSWARE_EXEMPT_NETWORKS", "localhost"),
        ("BUSWARE_EXEMPT_NETWORKS", "127.0.0.1/8"),
        ("BUSWARE_EXEMPT_NETWORKS", "10.0.0.0/33"),
        ("BUSWARE_EXEMPT_NETWORKS", "10.0.0.0/8 10.1.0.0/16"),
        ("BUSWARE_EXEMPT_NETWORKS", "10.0.0.0/8,"),
        ("BUSWARE_BOOKING_URL", "https://example.org/booking"),
        ("BUSWARE_BOOKING_URL", "example.org/{reference}"),
    ],
)
def test_error_shows_the_refused_value_and_what_the_variable_takes(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({name: text})
    assert str(refused.value) == f"{name} takes {FIELDS[name].metadata['kind'].takes}; it is {text!r}."


def test_refused_url_is_not_shown_because_it_holds_a_password() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL takes a URL such as postgresql://") as refused:
        Settings.load({"DATABASE_URL": "mysql://me:secret@host/db"})
    assert "secret" not in str(refused.value)


def test_page_of_new_passwords_needs_the_token() -> None:
    with pytest.raises(SettingsError, match=r"BUSWARE_RESET_URL takes a URL with \{token\}"):
        Settings.load({"BUSWARE_RESET_URL": "https://example.org/reset"})


def test_owner_url_without_database_url_is_refused() -> None:
    with pytest.raises(SettingsError, match="BUSWARE_OWNER_URL is set without DATABASE_URL"):
        Settings.load({"BUSWARE_OWNER_URL": "postgresql://a:b@c/d"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("bus:9999", "gives bus port 9999, which is the port of BUSWARE_PORT: choose another port"),
        ("chat:8000", "gives chat port 8000, which is the port of BUSWARE_HTTP_PORT: choose another port"),
        ("bus:1,show:1", "gives show port 1, which is the port of bus: choose another port"),
    ],
)
def test_port_that_is_used_twice_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"BUSWARE_PORTS {problem}"):
        Settings.load({"BUSWARE_PORTS": text})
    assert Settings.load({"BUSWARE_PORTS": "bus:0,show:0", "BUSWARE_PORT": "0", "BUSWARE_HTTP_PORT": "0"})


@pytest.mark.parametrize(
    ("address", "exempt"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:a01:203", True),
        ("10.2.0.1", False),
        ("2001:db8:5:7::1", True),
        ("2001:db8:6::1", False),
        ("::1", False),
        ("", False),
        ("no address", False),
    ],
)
def test_networks_that_a_setting_names_are_exempt(address: str, exempt: bool) -> None:
    named = Settings.load({"BUSWARE_EXEMPT_NETWORKS": "10.1.0.0/16, 2001:db8:5::/48"})
    assert named.is_exempt(address) is exempt


def test_no_network_is_exempt_by_default() -> None:
    assert not Settings().is_exempt("127.0.0.1")


def test_environment_overrides_dotenv_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(
        "BUSWARE_PORT=1111\nBUSWARE_HOST=0.0.0.0\nDATABASE_URL=postgresql://a:p$x@c/d\n"
    )
    monkeypatch.setattr(settings, "HOME", tmp_path)
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BUSWARE_PORT", "2222")
    loaded = Settings.load()
    assert (loaded.port, loaded.host, loaded.database_url) == (2222, "0.0.0.0", "postgresql://a:p$x@c/d")


def test_env_example_explains_exactly_the_settings() -> None:
    text = (PROJECT / ".env.example").read_text()
    entries = re.findall(r"((?:^# .*\n)+)# ([A-Z_]+)=(.*)\n", text, re.MULTILINE)
    explained = {name: (value, comment) for comment, name, value in entries}
    assert explained.keys() - FIELDS.keys() == {"BUSWARE_OWNER_PASSWORD", "BUSWARE_SERVER_PASSWORD"}
    for name, field in FIELDS.items():
        value, comment = explained[name]
        words = " ".join(comment.replace("#", " ").split())
        assert words.startswith(f"{field.metadata['unit']}: {field.metadata['about']}"), name
        if field.default is not None:
            default = str(field.default).lower() if field.metadata["kind"] is FLAG else str(field.default)
            if field.metadata["kind"] is NETWORKS:
                default = ", ".join(str(network) for network in field.default)
            assert value == default.removeprefix(f"{PROJECT}/"), name
        assert Settings.load({name: value, "DATABASE_URL": "postgresql://a@b/c"})
