"""The subjects of addresses: what a limit by address counts, and which addresses have none."""

from ipaddress import ip_network

import pytest

from busware.server.addresses import address_subject, limited_subject
from busware.server.settings import Settings


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("127.0.0.1", "address:127.0.0.1"),
        ("::ffff:10.1.2.3", "address:10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::"),
        ("2001:db8:1:2::9", "address:2001:db8:1:2::"),
        ("", "address:"),
    ],
)
def test_an_address_is_normalized_and_ipv6_reduced_to_its_network(address: str, subject: str) -> None:
    assert address_subject(address) == subject


def test_an_exempt_address_has_no_limited_subject() -> None:
    settings = Settings(exempt_networks=(ip_network("10.1.0.0/16"),))
    assert limited_subject("10.1.2.3", settings) is None
    assert limited_subject("::ffff:10.1.2.3", settings) is None
    assert limited_subject("10.2.2.3", settings) == "address:10.2.2.3"
