"""Where a webhook may lead: nowhere inside of a private network, however its URL writes the address."""

import socket
import threading
from typing import Any

import msgspec
import pytest

from busware.server.protocol import PutWebhook, Refusal
from busware.server.protocol.jsonrpc import decode_params
from busware.server.setting_kinds import networks
from busware.server.settings import Settings
from busware.server.webhooks import targets
from busware.server.webhooks.post import NotAnswered, Sender
from tests.support.line_client import WAIT_SECONDS


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "10.0.0.1", "172.16.0.1",
        "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[::1]",
        "[::]", "[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[::10.0.0.1]", "[fe80::1]", "[fc00::1]", "[ff02::1]",
        "[fec0::1]", "[64:ff9b::a00:1]", "[2002:a00:1::1]", "[2001:db8::1]", "localhost",
        "[64:ff9b:1::808:808]", "[::ffff:0:a00:1]", "[2001:0:a00:1::1]", "[2001:1::1]", "[3fff::1]",
        "[5f00::1]", "[fd00:ec2::254]", "[2002:c0a8:101::1]", "[2002:a83f:8110::1]",
        "[64:ff9b::169.254.169.254]",
        "192.0.0.192", "192.88.99.1", "198.18.0.1", "168.63.129.16", "100.100.100.200", "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe", "169.254.43518", "0",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(targets.Refused, match="not of the public internet"):
        targets.resolve(targets.target_of(f"https://{host}/"), Settings(), 1)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "134744072", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]"]
)
def test_public_address_is_accepted(host: str) -> None:
    (address, *_) = targets.resolve(targets.target_of(f"https://{host}:8443/"), Settings(), 1)
    assert address.where[1] == 8443


@pytest.mark.parametrize(
    ("host", "accepted"), [("10.1.2.3", True), ("[::ffff:10.1.2.3]", True), ("10.2.0.1", False)]
)
def test_network_of_the_setting_is_accepted(host: str, accepted: bool) -> None:
    target, settings = (
        targets.target_of(f"https://{host}/"),
        Settings(webhook_networks=networks("10.1.0.0/16")),
    )
    if accepted:
        assert targets.resolve(target, settings, 1)
    else:
        with pytest.raises(targets.Refused):
            targets.resolve(target, settings, 1)


def test_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server may answer with a public and a private address. The operator does not learn which."""
    answer = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(targets.Refused) as caught:
        targets.resolve(targets.target_of("https://receiver.example/"), Settings(), 1)
    assert "10.0.0.1" not in str(caught.value)


def test_name_server_that_does_not_answer_has_the_time_of_the_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(WAIT_SECONDS) and [])
    with pytest.raises(NotAnswered, match=r"did not answer within 0\.1 s"):
        Sender(Settings(webhook_seconds=0.1)).post(targets.target_of("https://receiver.example/"), {}, b"")
    assert not answered.is_set()
    answered.set()


def test_name_is_not_resolved_when_a_webhook_is_put() -> None:
    targets.check("https://name.invalid/", Settings())
    with pytest.raises(targets.Refused):
        targets.check("https://127.1/", Settings())


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://a.example", "a.example", "/"),
        ("https://a.example:443/x?y=1", "a.example", "/x?y=1"),
        ("https://a.example:8443?y", "a.example:8443", "/?y"),
        ("https://[::1]:8443/", "[::1]:8443", "/"),
    ],
)
def test_parts_of_a_url(url: str, authority: str, path: str) -> None:
    target = targets.target_of(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/", "ftp://a.example/", "https:///x", "//a.example/", "a.example", "", "https://",
        "https://user@a.example/", "https://user:pw@a.example/", "https://a.example/#x", "https://a.b/ x",
        "https://a.example/\r\nX: 1", "https://a.example\\@b.example/", "https://a.b:0/", "https://a b/",
        "https://a.example:x/", "https://bücher.example/", "https://a.b/é", "https://%31/", "https://a.b/\n",
        "https://a.example/" + "x" * 2048,
    ],
)  # fmt: skip
def test_wrong_url_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode_params(PutWebhook, msgspec.json.encode({"webhook": "a", "url": url}))
    assert caught.value.data["field"] == "url"


@pytest.mark.parametrize(
    "url",
    ["https://a.example:99999/", "https://" + "a" * 64 + ".example/", "https://a..b/", "https://[::zz]/"],
)
def test_impossible_host_is_refused(url: str) -> None:
    with pytest.raises(targets.Refused):
        targets.check(url, Settings())


def wrong(**fields: Any) -> str:
    """The wrong field of a request."""
    with pytest.raises(Refusal) as caught:
        decode_params(PutWebhook, msgspec.json.encode({"webhook": "a", **fields}))
    return str(caught.value.data["field"])


def test_wrong_names_and_types_are_refused() -> None:
    for name in ("", "A", "a b", "-a", "a" * 41, "a\n", "ä"):
        assert wrong(webhook=name) == "webhook"
    for types in ([], [""], ["booking"], ["booking.*.x"], ["*.booked"], ["BOOKING.*"], ["*"] * 51):
        assert wrong(types=types).startswith("types")
