"""Runs: one execution of a pipeline each."""

# Generated from `freshet._async` by `integrations/python/generate.py`. Do not edit.

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal
from uuid import UUID

from freshet._http import (
    LONG_POLL_SECONDS,
    OUTAGE_MAX_SECONDS,
    get_backoff,
    is_temporary,
    sync_sleep,
    to_seconds,
)
from freshet._sync.transport import Transport
from freshet.errors import FreshetError, RunFailed, RunTimeout
from freshet.models import Pipeline, Run

RunReference = Run | UUID | str
RunStatusFilter = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
RunKindFilter = Literal["sync", "audit", "refresh", "replay", "rebuild"]


class Runs:
    """Runs of all pipelines."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        pipeline_id: UUID | str | None = None,
        kind: RunKindFilter | None = None,
        status: RunStatusFilter | None = None,
    ) -> Iterator[Run]:
        """Yields the runs, newest first."""
        query = {"limit": 200, "pipeline_id": pipeline_id, "kind": kind, "status": status}
        return self._transport.paginate(Run, "/v1/runs", query)

    def get(self, run: RunReference) -> Run:
        """Returns the current state of a run."""
        return self._transport.fetch(Run, "GET", _get_path(run))

    def cancel(self, run: RunReference) -> Run:
        """Cancels a run. Batches that are already stored are still loaded."""
        return self._transport.fetch(Run, "POST", f"{_get_path(run)}/cancel")

    def wait(
        self,
        run: RunReference,
        *,
        timeout: float | timedelta | None = None,
        allow_partial: bool = False,
        on_progress: Callable[[Run], None] | None = None,
    ) -> Run:
        """Waits until a run succeeds.

        The API responds as soon as the run finishes. A deployment that is unavailable for up to 10
        minutes, for example during an upgrade, does not end the wait.

        Args:
            run: The run or its ID.
            timeout: The time limit, in seconds or as a `timedelta`. By default, there is none.
            allow_partial: Whether the status `partial` counts as success.
            on_progress: Called with each state of the run that the client receives.

        Returns:
            The finished run.

        Raises:
            RunFailed: The run finished with a status other than `succeeded`.
            RunTimeout: The run did not finish in time. The run continues.
        """
        finished = self.wait_until_finished(run, timeout=timeout, on_progress=on_progress)
        if finished.status == "succeeded" or (allow_partial and finished.status == "partial"):
            return finished
        raise RunFailed(finished)

    def wait_until_finished(
        self,
        run: RunReference,
        *,
        timeout: float | timedelta | None = None,
        on_progress: Callable[[Run], None] | None = None,
    ) -> Run:
        """Waits until a run finishes, and returns the run, even if the run failed.

        Raises:
            RunTimeout: The run did not finish in time. The run continues.
        """
        seconds = to_seconds(timeout)
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        # The first request does not wait, so that the state of the run is known at a timeout.
        state = self.get(run)
        last_response_at = time.monotonic()
        failures = 0
        while state.finished_at is None:
            if failures == 0 and on_progress is not None:
                on_progress(state)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise RunTimeout(state, seconds or 0, self._is_paused(state))
            poll = max(1, math.ceil(min(remaining, LONG_POLL_SECONDS)))
            try:
                state = self._transport.fetch(Run, "GET", _get_path(run), query={"wait": poll})
                last_response_at = time.monotonic()
                failures = 0
            except FreshetError as error:
                failures += 1
                outage = time.monotonic() - last_response_at
                if not is_temporary(error) or outage > OUTAGE_MAX_SECONDS:
                    raise
                sync_sleep(min(get_backoff(failures), max(0.0, remaining)))
        return state

    def _is_paused(self, run: Run) -> bool:
        try:
            path = f"/v1/pipelines/{run.pipeline_id}"
            return (self._transport.fetch(Pipeline, "GET", path)).status == "paused"
        except FreshetError:
            # The pipeline only explains the timeout, which is raised in any case.
            return False


def _get_path(run: RunReference) -> str:
    return f"/v1/runs/{UUID(str(run.id if isinstance(run, Run) else run))}"
