"""The synchronous and the asynchronous client with the same methods, so that one test covers both."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import pytest

from busware import AsyncClient, Client, connect, connect_async
from busware.async_http_client import AsyncHttpClient
from busware.http_client import HttpClient
from tests.support.processes import WAIT_SECONDS


@dataclass(frozen=True)
class Sdk:
    """`connect()` and the two client classes of the SDK. is_async: their calls run on an event loop."""

    connect: Callable[..., Any]
    client: Callable[..., Any]
    http_client: Callable[..., Any]
    is_async: bool = False


SYNCHRONOUS = Sdk(connect, Client, HttpClient)


class BlockingClient:
    """An AsyncClient whose methods block until they have their results."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], client: AsyncClient) -> None:
        self.__dict__.update(_run=run, _client=client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._client.close())

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._client, name, value)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if not inspect.ismethod(attribute):
            return attribute

        def call(*arguments: Any, **options: Any) -> Any:
            result = attribute(*arguments, **options)
            return iter(self._run(_collect(result))) if inspect.isasyncgen(result) else self._run(result)

        return call


async def _collect(items: Any) -> list[Any]:
    return [item async for item in items]


@contextmanager
def asynchronous() -> Iterator[Sdk]:
    """The asynchronous clients, on an event loop in a thread. Checks that closed clients leave no task."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(WAIT_SECONDS)

    async def other_tasks() -> set[Any]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    try:
        yield Sdk(
            lambda *arguments, **options: BlockingClient(run, run(connect_async(*arguments, **options))),
            lambda *arguments, **options: BlockingClient(run, AsyncClient(*arguments, **options)),
            lambda *arguments, **options: BlockingClient(run, AsyncHttpClient(*arguments, **options)),
            is_async=True,
        )
        assert run(other_tasks()) == set()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(params=["synchronous", "asynchronous"])
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    """The synchronous client, then the asynchronous one."""
    if request.param == "synchronous":
        yield SYNCHRONOUS
    else:
        with asynchronous() as sdk:
            yield sdk
