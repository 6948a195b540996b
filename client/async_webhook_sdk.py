"""The methods of a client about webhooks of operators. client/async_sdk.py explains the methods."""

# ruff: noqa: PLR0913 – one parameter for each field of a request

from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import UNSET, UnsetType

from busware.async_connection import AsyncConnection
from busware.server import protocol
from busware.server.protocol import Delivery, Replay, Webhook


class AsyncWebhookClient(AsyncConnection):
    """A client with a method for each request about webhooks."""

    async def webhooks(self, operator: str | None = None) -> list[Webhook]:
        """The operator's webhooks, in order of their names. operator: only an admin names it."""
        return (await self.call(protocol.Webhooks(operator=operator), protocol.WebhookList)).webhooks

    async def put_webhook(
        self,
        webhook: str,
        *,
        operator: str | None = None,
        url: str | UnsetType = UNSET,
        types: list[str] | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        key: str | None = None,
    ) -> Webhook:
        """Create a webhook, or change it: what is not given stays. A new one is returned with its secret."""
        return await self.call(protocol.PutWebhook(
            webhook=webhook, operator=operator, url=url, types=types, active=active, key=key
        ), Webhook)  # fmt: skip

    async def delete_webhook(
        self, webhook: str, *, operator: str | None = None, key: str | None = None
    ) -> Webhook:
        """Delete a webhook, with the record of its deliveries and what waits for it."""
        request = protocol.DeleteWebhook(webhook=webhook, operator=operator, key=key)
        return await self.call(request, Webhook)

    async def rotate_webhook_secret(
        self, webhook: str, *, operator: str | None = None, key: str | None = None
    ) -> Webhook:
        """Give a webhook a new secret, which is returned. For a time, the earlier one signs, too."""
        request = protocol.RotateWebhookSecret(webhook=webhook, operator=operator, key=key)
        return await self.call(request, Webhook)

    async def test_webhook(
        self, webhook: str, *, operator: str | None = None, key: str | None = None
    ) -> Delivery:
        """Send an event of the type webhook.test to a webhook."""
        request = protocol.TestWebhook(webhook=webhook, operator=operator, key=key)
        return await self.call(request, Delivery)

    async def webhook_deliveries(
        self, webhook: str, *, state: protocol.DeliveryState | None = None, operator: str | None = None
    ) -> AsyncIterator[Delivery]:
        """What was sent to a webhook, the last deliveries first. state: only deliveries in that state."""
        request = protocol.WebhookDeliveries(webhook=webhook, state=state, operator=operator)
        async for page in self._pages(request, protocol.DeliveryList):
            for delivery in page.deliveries:
                yield delivery

    async def replay_webhook(
        self,
        webhook: str,
        *,
        after: str | None = None,
        since: datetime | None = None,
        delivery_no: int | None = None,
        limit: int | None = None,
        operator: str | None = None,
        key: str | None = None,
    ) -> Replay:
        """Send events to a webhook again: those after a position or since a time, or that of a delivery."""
        return await self.call(protocol.ReplayWebhook(
            webhook=webhook, after=after, since=since, delivery_no=delivery_no, limit=limit,
            operator=operator, key=key,
        ), Replay)  # fmt: skip
