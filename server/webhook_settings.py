"""The settings of webhooks: a part of `Settings`, which explains how a setting is declared."""

from dataclasses import dataclass
from pathlib import Path

from busware.server.setting_kinds import (
    BYTES,
    COUNT,
    DURATION,
    FILE,
    NETWORKS,
    PERIOD,
    Networks,
    setting,
)


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """How events are sent to the webhooks of operators."""

    webhook_networks: Networks | None = setting(  # noqa: RUF009 - networks do not change
        None,
        "networks",
        "networks to which webhooks may go besides the public internet, such as 10.20.0.0/16",
        NETWORKS,
    )
    webhook_ca: Path | None = setting(  # noqa: RUF009 - a path does not change
        None,
        "file",
        "the certificates that the certificates of receivers are checked with, in PEM format; if it is not "
        "set, those of the system",
        FILE,
    )
    webhook_seconds: float = setting(
        15, "seconds", "how long a delivery may take, with name, connection and answer", DURATION
    )
    webhook_answer_bytes: int = setting(
        16384, "bytes", "how much of the answer of a receiver is read; its head must fit", BYTES
    )
    webhook_threads: int = setting(
        8, "threads", "the most deliveries to webhooks that a process sends at once", COUNT
    )
    webhook_threads_per_receiver: int = setting(
        2, "threads", "the most deliveries to one webhook that a process sends at once", COUNT
    )
    webhook_threads_per_operator: int = setting(
        4,
        "threads",
        "the most deliveries to the webhooks of one operator that a process sends at once",
        COUNT,
    )
    webhook_slow_threads: int = setting(
        2,
        "threads",
        "the most deliveries to slow webhooks, of all operators, that a process sends at once",
        COUNT,
    )
    webhook_slow_seconds: float = setting(
        3, "seconds", "a webhook is slow if its last delivery by this process took so long", DURATION
    )
    webhook_secret_hours: float = setting(
        24, "hours", "how long the earlier secret of a webhook signs beside a new one", PERIOD
    )
    webhook_secrets: int = setting(5, "secrets", "the most valid secrets of a webhook", COUNT)
    webhooks_per_operator: int = setting(20, "webhooks", "the most webhooks of an operator", COUNT)
