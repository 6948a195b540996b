"""Webhooks of the providers of payments: POST /providers/{provider}/webhook.

A provider repeats a webhook until it gets status 200. So a webhook about an unknown payment gets 200, and a
webhook that could not be recorded gets another status.
"""

from http import HTTPStatus

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server.http import problems
from busware.server.http.executor import Executor
from busware.server.payments.payments import UnknownProvider
from busware.server.payments.providers import ForgedWebhook
from busware.server.protocol import Refusal

PATH = "/providers/{provider}/webhook"


class PaymentWebhooks:
    """The handler of the webhooks."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def answer(self, http: HttpRequest) -> Response:
        """Check and record a webhook. Raises Problem, Refusal or InternalError."""
        if self._executor.draining:
            raise Refusal("draining", "The server is shutting down: nothing was done, try again.")
        provider = http.path_params["provider"]
        signature = http.headers.get("stripe-signature", "")
        body = await self._executor.body(http)

        def receive() -> None:
            self._executor.operations.payments.receive(provider, body, signature)

        try:
            await self._executor.run(http, receive)
        except UnknownProvider:
            raise problems.of_status(HTTPStatus.NOT_FOUND, "There is no such provider of payments.") from None
        except ForgedWebhook:
            raise problems.of_status(HTTPStatus.BAD_REQUEST, "Signature or event is not valid.") from None
        return Response(status_code=HTTPStatus.OK)
