"""Pipelines, and the objects and reports of a pipeline."""

# Generated from `freshet._async` by `integrations/python/generate.py`. Do not edit.

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from freshet._http import Body
from freshet._sync.resources import NamedResource
from freshet._sync.runs import Runs
from freshet._sync.transport import Transport
from freshet.errors import NotFoundError
from freshet.models import (
    Estimate,
    Pipeline,
    PipelineInput,
    PipelineObject,
    PipelineObjectUpdate,
    PipelineTestResult,
    PipelineUpdate,
    Report,
    ReportResult,
    Run,
)

PipelineReference = Pipeline | UUID | str


class Pipelines(NamedResource[Pipeline]):
    """Pipelines. Each replicates one Freshdesk account into one warehouse schema."""

    _path = "/v1/pipelines"
    _noun = "pipeline"
    _model = Pipeline

    def __init__(self, transport: Transport, runs: Runs) -> None:
        super().__init__(transport)
        self._runs = runs

    def list(
        self,
        *,
        status: Literal["active", "paused"] | None = None,
        subdomain: str | None = None,
    ) -> Iterator[Pipeline]:
        """Yields the pipelines, newest first."""
        return self._list(status=status, subdomain=subdomain)

    def create(self, pipeline: PipelineInput | Body) -> Pipeline:
        """Creates a pipeline. Its first run starts immediately."""
        return self._transport.fetch(Pipeline, "POST", self._path, body=pipeline)

    def update(self, pipeline: PipelineReference, changes: PipelineUpdate | Body) -> Pipeline:
        """Updates a pipeline."""
        path = self._find_path(pipeline)
        return self._transport.fetch(Pipeline, "PATCH", path, body=changes)

    def pause(self, pipeline: PipelineReference) -> Pipeline:
        """Stops extraction and the schedule. Stored batches are still loaded."""
        path = self._find_path(pipeline)
        return self._transport.fetch(Pipeline, "POST", f"{path}/pause")

    def resume(self, pipeline: PipelineReference) -> Pipeline:
        """Continues after a pause."""
        path = self._find_path(pipeline)
        return self._transport.fetch(Pipeline, "POST", f"{path}/resume")

    def test(self, pipeline: PipelineReference) -> PipelineTestResult:
        """Tests the API key of the pipeline. This uses a few credits of the account."""
        path = self._find_path(pipeline)
        return self._transport.fetch(PipelineTestResult, "POST", f"{path}/test")

    def estimate(
        self, pipeline: PipelineReference, *, backfill_from: datetime | None = None
    ) -> Estimate:
        """Estimates the credits and the duration of the next run, or of a backfill."""
        path = self._find_path(pipeline)
        body = None if backfill_from is None else {"backfill_from": backfill_from.isoformat()}
        return self._transport.fetch(Estimate, "POST", f"{path}/estimate", body=body)

    def run(
        self,
        pipeline: PipelineReference,
        *,
        kind: Literal["sync", "audit"] = "sync",
        wait: bool = False,
        timeout: float | timedelta | None = None,
        allow_partial: bool = False,
        on_progress: Callable[[Run], None] | None = None,
        idempotency_key: str | None = None,
    ) -> Run:
        """Starts a run. If a run of the same kind is active, returns that run.

        Args:
            pipeline: The pipeline, its name or its ID.
            kind: `sync` extracts changes. `audit` compares the account with the warehouse.
            wait: Whether to wait until the run succeeds.
            timeout: The time limit of the wait, in seconds or as a `timedelta`.
            allow_partial: Whether the status `partial` counts as success.
            on_progress: Called with each state of the run that the client receives.
            idempotency_key: If a request with this key has already started a run within 24 hours,
                the API returns that run. By default, each call has its own key.

        Raises:
            RunFailed: `wait` is true, and the run finished with a status other than `succeeded`.
            RunTimeout: `wait` is true, and the run did not finish in time. The run continues.
        """
        headers = None if idempotency_key is None else {"idempotency-key": idempotency_key}
        path = self._find_path(pipeline)
        run = self._transport.fetch(
            Run, "POST", f"{path}/runs", body={"kind": kind}, headers=headers
        )
        if not wait:
            return run
        return self._runs.wait(
            run, timeout=timeout, allow_partial=allow_partial, on_progress=on_progress
        )


class Objects:
    """The objects of a pipeline, such as `tickets`."""

    def __init__(self, transport: Transport, pipelines: Pipelines) -> None:
        self._transport = transport
        self._pipelines = pipelines

    def list(self, pipeline: PipelineReference) -> Iterator[PipelineObject]:
        """Yields all objects, with their settings, availability and coverage."""
        path = f"{self._pipelines._find_path(pipeline)}/objects"
        for item in self._transport.paginate(PipelineObject, path):
            yield item

    def get(self, pipeline: PipelineReference, name: str) -> PipelineObject:
        """Returns an object by its name.

        Raises:
            NotFoundError: The catalog has no object with this name.
        """
        for item in self.list(pipeline):
            if item.object == name:
                return item
        raise NotFoundError(
            404, "not_found", f"The catalog has no object with the name {name!r}. Check the name."
        )

    def update(
        self, pipeline: PipelineReference, name: str, changes: PipelineObjectUpdate | Body
    ) -> PipelineObject:
        """Updates the settings of an object. Changes take effect with the next run."""
        path = self._find_path(pipeline, name)
        return self._transport.fetch(PipelineObject, "PATCH", path, body=changes)

    def restart(self, pipeline: PipelineReference, name: str) -> PipelineObject:
        """Discards the position of an object, so that it is extracted from the start."""
        path = self._find_path(pipeline, name)
        return self._transport.fetch(PipelineObject, "POST", f"{path}/restart")

    def refresh(self, pipeline: PipelineReference, name: str, record_id: int | str) -> Run:
        """Extracts a single record and its children immediately. Returns the run."""
        path = f"{self._find_path(pipeline, name)}/records/{quote(str(record_id), safe='')}"
        return self._transport.fetch(Run, "POST", f"{path}/refresh")

    def _find_path(self, pipeline: PipelineReference, name: str) -> str:
        return f"{self._pipelines._find_path(pipeline)}/objects/{quote(name, safe='')}"


class Reports:
    """Reports on the analytics models of a pipeline."""

    def __init__(self, transport: Transport, pipelines: Pipelines) -> None:
        self._transport = transport
        self._pipelines = pipelines

    def list(self, pipeline: PipelineReference) -> Iterator[Report]:
        """Yields the reports, with their definitions, parameters and queries."""
        path = f"{self._pipelines._find_path(pipeline)}/reports"
        for report in self._transport.paginate(Report, path):
            yield report

    def run(
        self,
        pipeline: PipelineReference,
        report: str,
        *,
        start: date | None = None,
        end: date | None = None,
        group_by: str | None = None,
        time_zone: str | None = None,
    ) -> ReportResult:
        """Runs a report. `rows` of the result contains a dictionary for each row.

        Args:
            pipeline: The pipeline, its name or its ID.
            report: The name of the report.
            start: The first day. By default, 30 days before `end`.
            end: The day after the last day. By default, 30 days after `start` or, without `start`,
                tomorrow.
            group_by: The grouping of the rows. `group_by` of the report lists the valid values.
            time_zone: The time zone of the days. By default, the time zone of the models.
        """
        path = f"{self._pipelines._find_path(pipeline)}/reports/{quote(report, safe='')}"
        query = {"from": start, "to": end, "group_by": group_by, "time_zone": time_zone}
        return self._transport.fetch(ReportResult, "GET", path, query=query)
