"""Waits until Freshet has loaded all changes of the day before."""

from datetime import datetime, timezone

from airflow.sdk import dag, task

from airflow_provider_freshet.sensors import FreshetFreshnessSensor


@dag(schedule="0 0 * * *", start_date=datetime(2026, 1, 1, tzinfo=timezone.utc), catchup=False)
def freshet_wait() -> None:
    """Waits for the pipeline `acme`."""
    wait = FreshetFreshnessSensor(
        task_id="wait",
        pipeline="acme",
        objects=["agents", "groups"],
        complete_as_of="{{ data_interval_end }}",
        poke_interval=60,
        timeout=3600 * 6,
    )

    @task
    def build_report() -> None:
        """Uses the tables."""
        print("The tables are fresh.")

    wait >> build_report()


freshet_wait()
