"""The commands for webhooks."""

from tests.client.test_commands import Run, operate, run  # noqa: F401 - fixtures
from tests.conftest import Database

KSRTC = ("--operator", "KSRTC")
URL = "https://receiver.example/busware"


def test_life_of_a_webhook(operate: Run, database: Database) -> None:  # noqa: F811
    assert operate("webhooks", *KSRTC).out == "You have no webhook.\n"
    created = operate("put-webhook", "accounting", *KSRTC, "--url", URL, "--event", "booking.*")
    assert created.out.splitlines()[1].split() == ["accounting", URL, "booking.*", "yes", "0", "0"]
    assert "\nSecret: whsec_" in created.out
    rotated = operate("rotate-webhook-secret", "accounting", *KSRTC)
    assert "The earlier secret signs, too, until" in rotated.out
    edited = operate("put-webhook", "accounting", *KSRTC, "--no-sending")
    assert edited.out.splitlines()[1].split() == ["accounting", URL, "booking.*", "no", "0", "0"]
    assert "Secret" not in edited.out
    refused = operate("test-webhook", "accounting", *KSRTC)
    assert (refused.status, refused.err) == (
        1, "Webhook accounting is not active. Activate it first: put_webhook with active.\n",
    )  # fmt: skip
    deleted = operate("delete-webhook", "accounting", *KSRTC)
    assert deleted.out == "Webhook accounting is deleted.\n"
    assert operate("webhooks", *KSRTC).out == "You have no webhook.\n"


def test_wrong_arguments(operate: Run) -> None:  # noqa: F811
    for arguments, problem in (
        (("--url", "http://a.example/"), "url takes a URL such as https://example.org/busware"),
        (
            ("--url", "https://10.0.0.7/"),
            "10.0.0.7 leads to an address that is not of the public internet",
        ),
        (("--url", URL, "--event", "booking.boked"), "There are no events of the type booking.boked."),
    ):
        refused = operate("put-webhook", "accounting", *KSRTC, *arguments)
        assert refused.status == 1
        assert problem in refused.err
    assert operate("replay-webhook", "accounting", *KSRTC).status == 2
    assert "is not a time" in operate("replay-webhook", "accounting", "--since", "soon").err
