"""Starts a run of a pipeline every morning, and then logs the number of loaded rows."""

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import dag, task

from airflow_provider_freshet.operators import FreshetRunOperator


@dag(schedule="0 6 * * *", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), catchup=False)
def freshet_sync() -> None:
    """Syncs the pipeline `acme`."""
    sync = FreshetRunOperator(
        task_id="sync",
        pipeline="acme",
        run_timeout=timedelta(hours=2),
        retries=2,
    )

    @task
    def log_rows(run: Any) -> None:
        """Logs the number of rows that the run has loaded into each table."""
        for name, item in run["objects"].items():
            print(f"{name}: {item['records_loaded']} rows loaded")

    log_rows(sync.output)


freshet_sync()
