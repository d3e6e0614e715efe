"""The sensor, which waits until the tables of a pipeline are fresh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowException

from airflow_provider_freshet.hooks import FreshetHook
from airflow_provider_freshet.triggers import FreshetFreshnessTrigger
from freshet.coverage import describe_tables, find_stale_tables

if TYPE_CHECKING:
    from airflow.sdk import Context


class FreshetFreshnessSensor(BaseSensorOperator):
    """Waits until the tables of a pipeline are complete up to a time.

    Use the sensor if Freshet starts the runs on its own schedule. Set either `complete_as_of` or
    `max_lag`.

    Args:
        pipeline: The name or the ID of the pipeline. Can be a template.
        complete_as_of: The time up to which the tables must be complete, as a `datetime` with a
            time zone, or as text in ISO 8601 format, such as `{{ data_interval_end }}`.
        max_lag: The maximum lag of the tables, relative to the start of the task.
        objects: The names of the objects, such as `["tickets"]`. By default, all included objects.
        freshet_conn_id: The ID of the connection.
        deferrable: Whether the triggerer waits. Otherwise, the worker waits.
    """

    template_fields: Sequence[str] = ("pipeline", "complete_as_of", "objects")
    ui_color = "#e0f2f1"

    def __init__(
        self,
        *,
        pipeline: str,
        complete_as_of: datetime | str | None = None,
        max_lag: timedelta | None = None,
        objects: Sequence[str] | None = None,
        freshet_conn_id: str = FreshetHook.default_conn_name,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (complete_as_of is None) == (max_lag is None):
            raise ValueError("Set either complete_as_of or max_lag.")
        self.pipeline = pipeline
        self.complete_as_of = complete_as_of
        self.max_lag = max_lag
        self.objects = objects
        self.freshet_conn_id = freshet_conn_id
        self.deferrable = deferrable

    def execute(self, context: Context) -> None:
        """Checks the tables, and defers if a table is not fresh."""
        # A maximum lag is converted to a time once, so that the check ends with the first run that
        # starts after the task.
        since = self._get_start_of_lag()
        self.complete_as_of = since
        self.max_lag = None
        if not self.deferrable:
            super().execute(context)
            return
        if self.poke(context):
            return
        self.defer(
            trigger=FreshetFreshnessTrigger(
                pipeline=self.pipeline,
                since=since.isoformat(),
                objects=None if self.objects is None else list(self.objects),
                poke_interval=self.poke_interval,
                freshet_conn_id=self.freshet_conn_id,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=self.timeout),
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> None:
        """Completes the task when the trigger has fired."""
        if event.get("error"):
            raise AirflowException(event["error"])

    def poke(self, context: Context) -> bool:
        """Returns whether all tables are fresh."""
        with FreshetHook(self.freshet_conn_id).get_conn() as freshet:
            objects = list(freshet.objects.list(self.pipeline))
        stale = find_stale_tables(objects, self._get_start_of_lag(), self.objects)
        if stale:
            self.log.info("Not fresh yet: %s", describe_tables(stale))
        return not stale

    def _get_start_of_lag(self) -> datetime:
        """Returns the time up to which the tables must be complete."""
        if self.max_lag is not None:
            return datetime.now(timezone.utc) - self.max_lag
        value = self.complete_as_of
        since = (
            value
            if isinstance(value, datetime)
            else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        )
        if since.tzinfo is None:
            raise ValueError(f"complete_as_of must have a time zone, but is {value}.")
        return since
