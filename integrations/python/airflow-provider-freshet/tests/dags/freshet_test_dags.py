"""Dags of one task each, which the tests execute."""

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG

from airflow_provider_freshet.operators import FreshetRunOperator
from airflow_provider_freshet.sensors import FreshetFreshnessSensor

# The examples of the package are executed as well.
from airflow_provider_freshet.example_dags.freshet_sync import freshet_sync  # isort: skip
from airflow_provider_freshet.example_dags.freshet_wait import freshet_wait  # isort: skip

freshet_sync()
freshet_wait()


def build_run_dag(name: str, pipeline: str, **arguments: Any) -> DAG:
    """Builds a Dag that runs a pipeline."""
    with DAG(name, schedule=None) as dag:
        FreshetRunOperator(task_id="task", pipeline=pipeline, **arguments)
    return dag


failed = build_run_dag("failed", "broken")
partial = build_run_dag("partial", "incomplete")
allowed = build_run_dag("allowed", "incomplete", allow_partial=True)
worker_waits = build_run_dag("worker_waits", "{{ 'acme' }}", deferrable=False)
worker_fails = build_run_dag("worker_fails", "broken", deferrable=False)
not_awaited = build_run_dag("not_awaited", "acme", wait_for_completion=False)
unknown_token = build_run_dag("unknown_token", "acme", freshet_conn_id="unknown_token")
unknown_pipeline = build_run_dag("unknown_pipeline", "unknown")
timed_out = build_run_dag("timed_out", "airflow_paused", run_timeout=timedelta(milliseconds=1))

with DAG("fresh", schedule=None) as fresh:
    FreshetFreshnessSensor(task_id="task", pipeline="acme", max_lag=timedelta(days=1))

with DAG("worker_checks", schedule=None) as worker_checks:
    FreshetFreshnessSensor(
        task_id="task", pipeline="acme", max_lag=timedelta(days=1), deferrable=False
    )

with DAG("becomes_fresh", schedule=None) as becomes_fresh:
    FreshetFreshnessSensor(
        task_id="task",
        pipeline="airflow_fresh",
        objects=["groups"],
        complete_as_of="{{ dag_run.conf['since'] }}",
    )

with DAG("unknown_object", schedule=None) as unknown_object:
    FreshetFreshnessSensor(
        task_id="task",
        pipeline="acme",
        objects=["tickets"],
        complete_as_of=datetime(2026, 1, 1, tzinfo=timezone.utc),
    )
