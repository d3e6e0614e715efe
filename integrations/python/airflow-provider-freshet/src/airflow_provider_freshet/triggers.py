"""The triggers, which wait for a run or for fresh tables without occupying a worker slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_freshet.hooks import FreshetHook
from freshet import FreshetError, RunTimeout
from freshet.coverage import describe_tables, find_stale_tables
from freshet.models import Run


class FreshetRunTrigger(BaseTrigger):
    """Fires when a run finishes.

    The payload of the event contains `run_id`, and `error` if the wait failed.

    Args:
        run_id: The ID of the run.
        freshet_conn_id: The ID of the connection.
        deadline: The time at which the wait ends, as a POSIX timestamp.
        cancel_on_kill: Whether the run is cancelled if a user stops the task.
    """

    def __init__(
        self,
        run_id: str,
        freshet_conn_id: str,
        deadline: float | None = None,
        cancel_on_kill: bool = True,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.run_id = run_id
        self.freshet_conn_id = freshet_conn_id
        self.deadline = deadline
        self.cancel_on_kill = cancel_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the state from which a triggerer recreates this trigger, also after a restart."""
        return (
            "airflow_provider_freshet.triggers.FreshetRunTrigger",
            {
                "run_id": self.run_id,
                "freshet_conn_id": self.freshet_conn_id,
                "deadline": self.deadline,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Waits until the run finishes."""
        error: str | None = None
        timeout = None if self.deadline is None else max(0.0, self.deadline - time.time())
        try:
            async with await FreshetHook(self.freshet_conn_id).get_async_conn() as freshet:
                await freshet.runs.wait_until_finished(
                    self.run_id, timeout=timeout, on_progress=self._log_progress
                )
        except RunTimeout as cause:
            error = f"run_timeout of the task has elapsed. {cause}"
        except (FreshetError, ValueError) as cause:
            error = str(cause)
        yield TriggerEvent({"run_id": self.run_id, "error": error})  # type: ignore[no-untyped-call]

    async def on_kill(self) -> None:
        """Cancels the run if a user stops the deferred task."""
        if self.cancel_on_kill:
            async with await FreshetHook(self.freshet_conn_id).get_async_conn() as freshet:
                await freshet.runs.cancel(self.run_id)

    def _log_progress(self, run: Run) -> None:
        progress = "" if run.progress is None else f", {run.progress:.0%} complete"
        self.log.info("Run %s is %s%s.", run.id, run.status, progress)


class FreshetFreshnessTrigger(BaseTrigger):
    """Fires when all tables are complete up to a time.

    The payload of the event contains `error` if the check failed.

    Args:
        pipeline: The name or the ID of the pipeline.
        since: The time up to which the tables must be complete, in ISO 8601 format.
        objects: The names of the objects. By default, all included objects.
        poke_interval: The seconds between two checks.
        freshet_conn_id: The ID of the connection.
    """

    def __init__(
        self,
        pipeline: str,
        since: str,
        objects: list[str] | None,
        poke_interval: float,
        freshet_conn_id: str,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.pipeline = pipeline
        self.since = since
        self.objects = objects
        self.poke_interval = poke_interval
        self.freshet_conn_id = freshet_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the state from which a triggerer recreates this trigger, also after a restart."""
        return (
            "airflow_provider_freshet.triggers.FreshetFreshnessTrigger",
            {
                "pipeline": self.pipeline,
                "since": self.since,
                "objects": self.objects,
                "poke_interval": self.poke_interval,
                "freshet_conn_id": self.freshet_conn_id,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Checks the tables until all are complete."""
        error: str | None = None
        try:
            async with await FreshetHook(self.freshet_conn_id).get_async_conn() as freshet:
                while True:
                    objects = [item async for item in freshet.objects.list(self.pipeline)]
                    stale = find_stale_tables(
                        objects, datetime.fromisoformat(self.since), self.objects
                    )
                    if not stale:
                        break
                    self.log.info("Not fresh yet: %s", describe_tables(stale))
                    await asyncio.sleep(self.poke_interval)
        except (FreshetError, ValueError) as cause:
            error = str(cause)
        yield TriggerEvent({"error": error})  # type: ignore[no-untyped-call]
