"""The settings of payments to a provider: a part of `Settings`, which explains how a setting is declared."""

from dataclasses import dataclass

from busware.server.setting_kinds import (
    COUNT,
    DURATION,
    HTTP_URL,
    LINE,
    PERIOD,
    SECRET,
    UPI_ADDRESS,
    setting,
)


@dataclass(frozen=True, kw_only=True)
class PaymentSettings:
    """Where payments go. manual: a bank account or UPI. stripe: an account at Stripe."""

    manual_account: str | None = setting(
        None, "text", "the bank account for manual payments, as travellers read it", LINE
    )
    manual_upi: str | None = setting(
        None, "address", "the address of UPI for manual payments in INR", UPI_ADDRESS
    )
    manual_payee: str | None = setting(None, "text", "the name of the payee in apps of UPI", LINE)
    stripe_key: str | None = setting(
        None, "key", "the secret or restricted key of the account at Stripe; without it, no stripe", SECRET
    )
    stripe_publishable_key: str | None = setting(
        None, "key", "the publishable key of that account, for pages and apps that pay with Stripe.js", SECRET
    )
    stripe_webhook_secret: str | None = setting(
        None,
        "secret",
        "the signing secret of the webhook at Stripe; without it, webhooks are refused",
        SECRET,
    )
    stripe_webhook_seconds: float = setting(
        300, "seconds", "how old the signature of a webhook of Stripe may be", PERIOD
    )
    stripe_url: str = setting("https://api.stripe.com", "URL", "the API of Stripe", HTTP_URL)
    payment_page: str | None = setting(
        None,
        "URL",
        "the page of the operator on which travellers pay with Stripe.js; the client_secret of the payment "
        "is added as the fragment of the URL",
        HTTP_URL,
    )
    provider_seconds: float = setting(
        10, "seconds", "how long a call to a provider of payments may wait for its answer", DURATION
    )
    provider_requests: int = setting(
        16,
        "requests",
        "how many requests may wait for a provider of payments at once; beyond that, busy",
        COUNT,
    )
    payment_check_seconds: float = setting(
        60, "seconds", "how often to ask a provider about a payment or refund that is not completed", DURATION
    )
    outbox_payment_threads: int = setting(
        4,
        "threads",
        "the most refunds that a process carries out at once; they do not wait for mails",
        COUNT,
    )
    payment_checks: int = setting(
        100, "payments", "the most payments, and the most refunds, to ask about in one check", COUNT
    )
