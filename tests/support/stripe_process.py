"""Stripe's API on this machine: localstripe in a process of its own, with faults that a test can order.

Run as a program it prints its port, and ends when its standard input closes. It adds to localstripe:

- an answer to a repeated Idempotency-Key, as Stripe documents it (localstripe does every request again);
- POST /_config/fault with {"fault": …, "path": …, "method": …}: what happens to the next request to a path
  that begins so. `refuse`: status 503, and nothing is done. `before`, `after`: it waits for POST
  /_config/release before or after it is done; then its connection is closed, unless "answers" is there. GET
  /_config/waiting answers when one waits;
- POST /_config/failures with {"percent": …}: this part of the requests of Stripe's library fails, by turns
  with status 503, before it is done and after it is done. Requests of payers do not fail;
- the filter `created` of lists;
- a fee for each charge, FEE_PERCENT of its amount (localstripe charges nothing), and the field
  `failure_balance_transaction` of refunds.
"""

import asyncio
import itertools
import os
import random
import sys
import threading

from aiohttp import web
from localstripe import resources, server

FEE_PERCENT = 2

_answers: dict[tuple[str, str], tuple[int, bytes]] = {}
_fault: dict[str, str] = {}
_waiting, _released = asyncio.Event(), asyncio.Event()
_failures = {"percent": 0.0}
_ways_to_fail = itertools.cycle(("refuse", "before", "after"))
_random = random.Random(1)


@web.middleware
async def repeat_answers(request: web.Request, handler: object) -> web.StreamResponse:
    """Answer a repeated Idempotency-Key as the first time."""
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or not key:
        return await handler(request)  # type: ignore[operator]
    known = _answers.get((request.path, key))
    if known is None:
        response = await handler(request)  # type: ignore[operator]
        known = _answers[request.path, key] = response.status, bytes(response.body)
    return web.Response(status=known[0], body=known[1], content_type="application/json")


@web.middleware
async def apply_faults(request: web.Request, handler: object) -> web.StreamResponse:
    """Apply the fault that was ordered to the request that it is for."""
    is_for = _fault and request.method == _fault["method"] and request.path.startswith(_fault["path"])
    if not is_for:
        return await handler(request)  # type: ignore[operator]
    fault, answers = _fault["fault"], "answers" in _fault
    if fault == "refuse":
        return _is_down()
    _fault.clear()
    answer: web.StreamResponse = web.Response()
    if fault == "after":
        answer = await handler(request)  # type: ignore[operator]
    _waiting.set()
    await _released.wait()
    return answer if answers else _lost(request)


@web.middleware
async def fail_some(request: web.Request, handler: object) -> web.StreamResponse:
    """Have a part of the requests of Stripe's library fail."""
    is_of_library = request.headers.get("User-Agent", "").startswith("Stripe/")
    if not is_of_library or _random.uniform(0, 100) >= _failures["percent"]:
        return await handler(request)  # type: ignore[operator]
    way = next(_ways_to_fail)
    if way == "refuse":
        return _is_down()
    if way == "after":
        await handler(request)  # type: ignore[operator]
    return _lost(request)


def _is_down() -> web.Response:
    return web.json_response({"error": {"message": "Stripe is down.", "type": "api_error"}}, status=503)


def _lost(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


def filter_lists(kind: type[resources.StripeObject]) -> None:
    """Let a list of this kind take the parameter `created`."""
    list_all = kind._api_list_all.__func__  # type: ignore[attr-defined]

    def filtered(cls: type, url: str, created: dict[str, str] | None = None, **parameters: object) -> object:
        listed = list_all(cls, url, **parameters)
        first, end = (
            int((created or {}).get(name, default)) for name, default in (("gte", 0), ("lt", 2**40))
        )
        listed._list = [about for about in listed._list if first <= about.created < end]
        return listed

    kind._api_list_all = classmethod(filtered)  # type: ignore[attr-defined]


def charge_fees() -> None:
    """Let a charge cost a fee."""
    resources.BalanceTransaction.fee = property(  # type: ignore[method-assign]
        lambda transaction: max(0, transaction.amount) * FEE_PERCENT // 100,
        lambda transaction, fee: None,  # localstripe sets 0
    )
    resources.Refund.failure_balance_transaction = None


async def order_fault(request: web.Request) -> web.Response:
    """Order a fault; without one, none is left."""
    _fault.clear()
    _fault.update(await request.json())
    _waiting.clear()
    _released.clear()
    return web.Response()


async def order_failures(request: web.Request) -> web.Response:
    """Set which part of the requests of Stripe's library fails."""
    _failures.update(await request.json())
    return web.Response()


async def wait_for_request(request: web.Request) -> web.Response:
    """Answer when a request waits."""
    await _waiting.wait()
    return web.Response()


async def release(request: web.Request) -> web.Response:
    """End the wait of a request."""
    _released.set()
    return web.Response()


def main() -> None:
    """Serve on a free port of the loopback interface."""
    resources.Store.dump_to_disk = lambda self: None
    filter_lists(resources.PaymentIntent)
    filter_lists(resources.Refund)
    charge_fees()
    server.app.middlewares.insert(0, repeat_answers)
    server.app.middlewares.insert(0, apply_faults)
    server.app.middlewares.insert(0, fail_some)
    server.app.router.add_post("/_config/fault", order_fault)
    server.app.router.add_post("/_config/failures", order_failures)
    server.app.router.add_get("/_config/waiting", wait_for_request)
    server.app.router.add_post("/_config/release", release)

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    async def serve() -> None:
        runner = web.AppRunner(server.app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
