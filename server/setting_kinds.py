"""The kinds of values of the settings, and how a setting is declared."""

import dataclasses
import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from busware.server.installation import CHECKOUT

HOME = CHECKOUT or Path.cwd()  # the folder of .env and data/

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
DialoguePorts = tuple[tuple[str, int], ...]  # a dialogue and its port, 0 for any free one

DIALOGUES = ("bus", "flight", "show", "hotel", "chat", "text")  # each may have a port of its own


@dataclass(frozen=True)
class Kind:
    """A kind of value: its description, the pattern of its text, its conversion, and the range of a number.

    convert raises ValueError, KeyError or OSError for a wrong text. msgspec.convert is not used, because it
    accepts 1e3 as a whole number, and inf and nan as numbers. secret: error messages do not show the text.
    """

    takes: str
    pattern: str
    convert: Callable[[str], Any]
    low: int = 0
    high: int = 10**12
    secret: bool = False


def _path(text: str) -> Path:
    return HOME / Path(text).expanduser()


def networks(text: str) -> Networks:
    """The networks in a text, separated by commas. Raises ValueError."""
    return tuple(ipaddress.ip_network(network.strip()) for network in text.split(","))


def _dialogue_ports(text: str) -> DialoguePorts:
    pairs = [pair.partition(":") for pair in text.split(",")]
    ports = tuple((dialogue.strip().lower(), int(number)) for dialogue, _, number in pairs)
    if any(dialogue not in DIALOGUES or number > PORT.high for dialogue, number in ports):
        raise ValueError
    return ports


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    headers = json.loads(text)
    if not all(isinstance(value, str) and value.isprintable() for value in headers.values()):
        raise ValueError
    return tuple(headers.items())


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(","))


MOST = 2**31 - 1  # the largest number that the database takes for a setting
COUNT = Kind(f"a whole number from 1 to {MOST}", r"\d{1,12}", int, low=1, high=MOST)
MEBIBYTES = Kind("a whole number from 1 to 4096", r"\d{1,4}", int, low=1, high=4096)
BYTES = Kind("a whole number, 1024 or more", r"\d{1,12}", int, low=1024)
PERCENT = Kind("a whole number from 1 to 100", r"\d{1,3}", int, low=1, high=100)
PORT = Kind("a whole number from 0 to 65535", r"\d{1,5}", int, high=65535)
DIALOGUE_PORTS = Kind(
    "dialogues with their ports, such as bus:9996,chat:8080; the dialogues are "
    f"{', '.join(DIALOGUES)}, a port is {PORT.takes}",
    r"[a-z]+\s*:\s*\d{1,5}(\s*,\s*[a-z]+\s*:\s*\d{1,5})*",
    _dialogue_ports,
)
DURATION = Kind("a number more than 0, such as 10 or 0.5", r"(?=.*[1-9])\d{1,9}(\.\d{1,3})?", float)
PERIOD = Kind(
    "a number from 1 to 1000000, such as 48 or 1.5", r"\d{1,9}(\.\d{1,3})?", float, low=1, high=10**6
)
FLAG = Kind("true or false", r"true|false", lambda text: text.lower() == "true")
URL = Kind(
    "a URL such as postgresql://user:password@host:5432/busware", r"postgres(ql)?://\S+", str, secret=True
)
URLS = Kind(
    "URLs such as postgresql://user:password@host:5432/busware, separated by commas",
    r"postgres(ql)?://[^\s,]+(\s*,\s*postgres(ql)?://[^\s,]+)*",
    _texts,
    secret=True,
)
HTTP_URL = Kind("a URL such as https://example.org/pay", r"https?://[^\s#]+", str)
LINE = Kind("a text on one line", r"[^\x00-\x1f\x7f]+", str)
UPI_ADDRESS = Kind("an address of UPI, such as busware@bank", r"[\w.-]{2,256}@[a-z][a-z0-9]{1,63}", str)
FOLDER = Kind("a folder", r".+", _path)
FILE = Kind("a file", r".+", _path)
ADDRESSES = Kind("addresses, separated by commas", r"[\w.:%/*-]+(\s*,\s*[\w.:%/*-]+)*", str)
NETWORKS = Kind(
    "networks such as 127.0.0.0/8 or ::1/128, separated by commas",
    r"[\da-f.:/]+(\s*,\s*[\da-f.:/]+)*",
    networks,
)
HOST_NAMES = Kind("host names, separated by commas", r"[\w.-]+(\s*,\s*[\w.-]+)*", _names)
ORIGINS = Kind(
    "origins such as https://example.org, separated by commas; or *",
    r"\*|https?://[^\s,/]+(\s*,\s*https?://[^\s,/]+)*",
    _names,
)
ADDRESS = Kind("an address or a host name", r"[\w.:%-]+", str)
COUNTRY = Kind("the two letters of a country, such as IN", r"[a-z]{2}", str.upper)
ZONE = Kind("a time zone such as Asia/Kolkata", r"[a-z]+([/_+-][a-z0-9]+)*", lambda text: ZoneInfo(text).key)
LEVEL = Kind("DEBUG, INFO, WARNING or ERROR", r"DEBUG|INFO|WARNING|ERROR", str.upper)
FORMAT = Kind("text or json", r"text|json", str.lower)
LANGUAGE = Kind("en, hi or kn", r"en|hi|kn", str.lower)
MAILBOX = Kind(
    "an address such as tickets@example.org, or Example Buses <tickets@example.org>",
    r"[^<>@\s]+@[\w.-]+|[^<>@\r\n]*<[^<>@\s]+@[\w.-]+>",
    str,
)
SECURITY = Kind("starttls, tls or none", r"starttls|tls|none", str.lower)
TEXT = Kind("a text", r".+", str)
SECRET = Kind("a text", r".+", str, secret=True)
WEB_URL = Kind("a URL such as https://example.org/path", r"https?://[^\s]+", str, secret=True)
RESET_URL = Kind(
    "a URL with {token}, such as https://example.org/reset?token={token}",
    r"https?://[^\s]*\{token\}[^\s]*",
    str,
    secret=True,
)
BOOKING_URL = Kind(
    "a URL with {reference}, such as https://example.org/booking?reference={reference}",
    r"https?://[^\s]*\{reference\}[^\s]*",
    str,
)
HEADERS = Kind(
    'headers as JSON, such as {"Authorization": "Bearer SECRET"}', r"\{.*\}", _headers, secret=True
)
HTTP_METHOD = Kind("POST, PUT or GET", r"POST|PUT|GET", str.upper)


def setting(default: Any, unit: str, about: str, kind: Kind, variable: str | None = None) -> Any:
    """A field of Settings. about: its purpose, for .env.example."""
    return dataclasses.field(
        default=default, metadata={"unit": unit, "about": about, "kind": kind, "variable": variable}
    )
