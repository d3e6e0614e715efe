"""The operator, which starts a run and waits until the run succeeds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BaseOperator, BaseOperatorLink
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.execution_time.xcom import XCom

from airflow_provider_freshet.hooks import FreshetHook
from airflow_provider_freshet.triggers import FreshetRunTrigger
from freshet import Freshet, RunFailed
from freshet.models import Run

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import TaskInstanceKey

RUN_URL_KEY = "freshet_run_url"


class FreshetRunLink(BaseOperatorLink):
    """Links a task to its run in the console of Freshet."""

    name = "Freshet run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Returns the address of the run."""
        return str(XCom.get_value(ti_key=ti_key, key=RUN_URL_KEY) or "")


class FreshetRunOperator(BaseOperator):
    """Starts a run of a pipeline, and waits until the run succeeds.

    If a run of the same kind is already active, the operator waits for that run. The task fails if
    the run has a status other than `succeeded`. While the operator defers, it occupies no worker
    slot. The result is a dictionary with the counts of each object.

    Args:
        pipeline: The name or the ID of the pipeline. Can be a template.
        kind: `sync` extracts changes. `audit` compares the account with the warehouse.
        freshet_conn_id: The ID of the connection.
        wait_for_completion: Whether to wait until the run succeeds.
        deferrable: Whether the triggerer waits. Otherwise, the worker waits.
        run_timeout: The time limit of the wait. When it elapses, the task fails, and the run
            continues. By default, there is no limit.
        allow_partial: Whether the status `partial` counts as success.
        cancel_on_kill: Whether the run is cancelled if a user stops the task.
    """

    template_fields: Sequence[str] = ("pipeline",)
    operator_extra_links = (FreshetRunLink(),)
    ui_color = "#e0f2f1"

    def __init__(
        self,
        *,
        pipeline: str,
        kind: Literal["sync", "audit"] = "sync",
        freshet_conn_id: str = FreshetHook.default_conn_name,
        wait_for_completion: bool = True,
        deferrable: bool = True,
        run_timeout: timedelta | None = None,
        allow_partial: bool = False,
        cancel_on_kill: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.kind = kind
        self.freshet_conn_id = freshet_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.run_timeout = run_timeout
        self.allow_partial = allow_partial
        self.cancel_on_kill = cancel_on_kill
        self._active_run_id: str | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Starts the run."""
        with self._connect() as freshet:
            run = freshet.pipelines.run(
                self.pipeline, kind=self.kind, idempotency_key=_build_idempotency_key(context)
            )
            self._active_run_id = str(run.id)
            context["ti"].xcom_push(RUN_URL_KEY, f"{freshet.url}/console/runs/{run.id}")
            self.log.info("Run %s of the pipeline %s has started.", run.id, self.pipeline)
            if not self.wait_for_completion:
                return summarize_run(run)
            if not self.deferrable:
                return self._finish(
                    freshet.runs.wait_until_finished(
                        run, timeout=self.run_timeout, on_progress=self._log_progress
                    )
                )
        deadline = (
            None if self.run_timeout is None else time.time() + self.run_timeout.total_seconds()
        )
        self.defer(
            trigger=FreshetRunTrigger(
                run_id=str(run.id),
                freshet_conn_id=self.freshet_conn_id,
                deadline=deadline,
                cancel_on_kill=self.cancel_on_kill,
            ),
            method_name="execute_complete",
        )
        raise AssertionError("defer() has not raised TaskDeferred.")

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Completes the task when the trigger has fired."""
        if event.get("error"):
            raise AirflowException(event["error"])
        with self._connect() as freshet:
            return self._finish(freshet.runs.get(event["run_id"]))

    def on_kill(self) -> None:
        """Cancels the run if a user stops the task while a worker executes it."""
        if self._active_run_id is None or not self.cancel_on_kill:
            return
        self.log.info("Cancelling run %s.", self._active_run_id)
        with self._connect() as freshet:
            freshet.runs.cancel(self._active_run_id)

    def _connect(self) -> Freshet:
        return FreshetHook(self.freshet_conn_id).get_conn()

    def _log_progress(self, run: Run) -> None:
        self.log.info("Run %s: %s", run.id, describe_progress(run))

    def _finish(self, run: Run) -> dict[str, Any]:
        self._active_run_id = None
        for item in run.objects:
            self.log.info(
                "%s: %s, %d records extracted, %d rows loaded, %d rows deleted",
                *(item.object, item.status, item.records_extracted),
                *(item.records_loaded, item.records_deleted),
            )
        if run.status == "succeeded" or (self.allow_partial and run.status == "partial"):
            return summarize_run(run)
        raise RunFailed(run)


def summarize_run(run: Run) -> dict[str, Any]:
    """Returns the result of a run as JSON values, for XCom."""
    return {
        "run_id": str(run.id),
        "status": run.status,
        "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
        "objects": {
            item.object: {
                "status": item.status,
                "records_extracted": item.records_extracted,
                "records_loaded": item.records_loaded,
                "records_deleted": item.records_deleted,
                "complete_as_of": item.complete_as_of and item.complete_as_of.isoformat(),
            }
            for item in run.objects
        },
    }


def describe_progress(run: Run) -> str:
    """Describes the state of an active run."""
    return run.status if run.progress is None else f"{run.status}, {run.progress:.0%} complete"


def _build_idempotency_key(context: Context) -> str:
    """Returns the same key if the same attempt of a task is executed again."""
    ti = context["ti"]
    parts = (ti.dag_id, ti.run_id, ti.task_id, str(ti.map_index), str(ti.try_number))
    return f"airflow-{hashlib.sha256('/'.join(parts).encode()).hexdigest()}"
