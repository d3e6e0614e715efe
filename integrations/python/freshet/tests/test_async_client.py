"""Tests of the async client against a running deployment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from deployment_fixtures import CreatePipeline

from freshet import AsyncFreshet, NotFoundError, RunFailed
from freshet.models import Pipeline

Test = Callable[[AsyncFreshet], Coroutine[Any, Any, None]]


@pytest.fixture
def execute(url: str, token: str) -> Callable[[Test], None]:
    """Executes a test with a client."""

    async def run(test: Test) -> None:
        async with AsyncFreshet(url, token) as freshet:
            await test(freshet)

    return lambda test: asyncio.run(run(test))


async def collect(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def test_runs_of_several_pipelines_are_awaited_concurrently(
    execute: Callable[[Test], None], acme: Pipeline, broken: Pipeline
) -> None:
    async def test(freshet: AsyncFreshet) -> None:
        succeeded, failed = await asyncio.gather(
            freshet.pipelines.run("acme", wait=True),
            freshet.pipelines.run(broken, wait=True),
            return_exceptions=True,
        )
        assert not isinstance(succeeded, BaseException)
        assert succeeded.status == "succeeded"
        assert isinstance(failed, RunFailed)

    execute(test)


def test_lists_are_async_iterators(execute: Callable[[Test], None], acme: Pipeline) -> None:
    async def test(freshet: AsyncFreshet) -> None:
        assert acme.id in [item.id for item in await collect(freshet.pipelines.list())]
        objects = await collect(freshet.objects.list("acme"))
        assert {item.object for item in objects if item.included} == {"agents", "groups"}
        with pytest.raises(NotFoundError):
            await freshet.pipelines.get("unknown")

    execute(test)


def test_a_cancelled_task_stops_the_wait(
    execute: Callable[[Test], None], create_pipeline: CreatePipeline
) -> None:
    pipeline = create_pipeline("async_paused")

    async def test(freshet: AsyncFreshet) -> None:
        await freshet.pipelines.pause(pipeline)
        run = await freshet.pipelines.run(pipeline)
        started = asyncio.Event()
        waiting = asyncio.create_task(freshet.runs.wait(run, on_progress=lambda _: started.set()))
        await started.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await freshet.runs.cancel(run)

    execute(test)
