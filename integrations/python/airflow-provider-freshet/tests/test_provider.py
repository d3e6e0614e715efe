"""Tests of the Airflow provider. Dags are executed by Airflow's `dag.test()`."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers_manager import ProvidersManager
from airflow.sdk import DAG, Connection
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime
from airflow.triggers.base import BaseTrigger, TriggerEvent
from deployment_fixtures import CreatePipeline, read_code_blocks

import airflow_provider_freshet.example_dags as examples
from airflow_provider_freshet import get_provider_info, triggers
from airflow_provider_freshet.hooks import FreshetHook, _read_connection
from airflow_provider_freshet.operators import FreshetRunOperator
from airflow_provider_freshet.sensors import FreshetFreshnessSensor
from airflow_provider_freshet.triggers import FreshetRunTrigger
from freshet import Freshet
from freshet.models import Pipeline, Run


@pytest.fixture(scope="session")
def dags() -> dict[str, DAG]:
    """The Dags of the folder `dags`, as Airflow parses them."""
    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.fixture
def paused(freshet: Freshet, create_pipeline: CreatePipeline) -> Pipeline:
    """A paused pipeline, whose runs wait until it is resumed."""
    pipeline = create_pipeline("airflow_paused")
    freshet.pipelines.resume(pipeline)
    freshet.pipelines.run(pipeline, wait=True)
    return freshet.pipelines.pause(pipeline)


def execute(dag: DAG, **arguments: Any) -> tuple[str, Any]:
    """Executes a Dag. Returns its state and the result of the task `task`."""
    dag_run = dag.test(**arguments)
    task = dag_run.get_task_instance("task") or dag_run.get_task_instance("sync")
    return dag_run.state, task and task.xcom_pull(task_ids=task.task_id)


def test_airflow_finds_the_provider() -> None:
    manager = ProvidersManagerTaskRuntime()
    hook = manager.hooks["freshet"]
    assert hook is not None
    assert hook.hook_name == "Freshet"
    providers = ProvidersManager()
    assert providers.providers["airflow-provider-freshet"].version == "0.1.0"
    assert "airflow_provider_freshet.operators.FreshetRunLink" in providers.extra_links_class_names
    assert get_provider_info()["package-name"] == "airflow-provider-freshet"


def test_the_examples_of_the_guide_are_those_of_the_package() -> None:
    folder = Path(examples.__file__).parent
    blocks = read_code_blocks("airflow.md")
    assert blocks == [
        (folder / name).read_text() for name in ("freshet_sync.py", "freshet_wait.py")
    ]


def test_the_first_example_syncs_and_logs_the_rows(
    dags: dict[str, DAG], acme: Pipeline, freshet: Freshet, capfd: pytest.CaptureFixture[str]
) -> None:
    state, result = execute(dags["freshet_sync"])
    assert (state, result["status"]) == ("success", "succeeded")
    assert set(result["objects"]) == {"agents", "groups"}
    output = capfd.readouterr().out
    assert "Pausing task as DEFERRED" in output
    assert "groups: 0 rows loaded" in output
    run = freshet.runs.get(result["run_id"])
    assert (run.pipeline_id, run.trigger) == (acme.id, "manual")


def test_the_second_example_waits_for_the_tables(dags: dict[str, DAG], acme: Pipeline) -> None:
    midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    assert execute(dags["freshet_wait"], logical_date=midnight)[0] == "success"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("failed", "Freshdesk rejected the API key"),
        ("worker_fails", "Freshdesk rejected the API key"),
        ("partial", "has the status partial. groups: forbidden"),
        ("unknown_token", "The API token is unknown"),
        ("unknown_pipeline", "No pipeline has the name 'unknown'"),
        ("timed_out", "run_timeout of the task has elapsed"),
        ("unknown_object", "The pipeline does not include tickets"),
    ],
)
@pytest.mark.usefixtures("acme", "broken", "incomplete", "paused")
def test_a_failure_fails_the_task(
    dags: dict[str, DAG], capfd: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    state, result = execute(dags[name])
    assert (state, result) == ("failed", None)
    assert message in capfd.readouterr().out


@pytest.mark.usefixtures("acme", "incomplete")
def test_options_of_the_operator(dags: dict[str, DAG], freshet: Freshet) -> None:
    state, result = execute(dags["allowed"])
    assert (state, result["status"]) == ("success", "partial")
    state, result = execute(dags["worker_waits"])
    assert (state, result["status"]) == ("success", "succeeded")
    state, result = execute(dags["not_awaited"])
    assert state == "success"
    assert freshet.runs.wait(result["run_id"]).status == "succeeded"


@pytest.mark.usefixtures("acme")
def test_the_sensor_succeeds_if_the_tables_are_fresh(dags: dict[str, DAG]) -> None:
    assert execute(dags["fresh"])[0] == "success"
    assert execute(dags["worker_checks"])[0] == "success"


def test_the_sensor_waits_for_the_next_run(
    dags: dict[str, DAG],
    create_pipeline: CreatePipeline,
    freshet: Freshet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipeline = create_pipeline("airflow_fresh")
    freshet.pipelines.run(pipeline, wait=True)
    started: list[Run] = []

    async def start_run(_seconds: float) -> None:
        started.append(await asyncio.to_thread(freshet.pipelines.run, pipeline, wait=True))

    monkeypatch.setattr(triggers.asyncio, "sleep", start_run)
    now = datetime.now(timezone.utc).isoformat()
    state, _ = execute(dags["becomes_fresh"], run_conf={"since": now})
    assert state == "success"
    assert len(started) >= 1


def test_the_sensor_requires_one_time() -> None:
    for arguments in ({}, {"complete_as_of": "2026-01-01", "max_lag": 1}):
        with pytest.raises(ValueError, match="either complete_as_of or max_lag"):
            FreshetFreshnessSensor(task_id="task", pipeline="acme", **arguments)
    sensor = FreshetFreshnessSensor(task_id="task", pipeline="acme", complete_as_of="2026-01-01")
    with pytest.raises(ValueError, match="must have a time zone"):
        sensor.poke({})


def recreate(trigger: BaseTrigger) -> Any:
    """Recreates a trigger from its serialized state, like a triggerer after a restart."""
    path, arguments = trigger.serialize()
    return getattr(triggers, path.rpartition(".")[2])(**arguments)


async def get_event(trigger: BaseTrigger) -> TriggerEvent:
    """Runs a trigger until it fires."""
    events: AsyncIterator[TriggerEvent] = trigger.run()
    async with aclosing(events):  # type: ignore[type-var]
        return await anext(events)


def test_the_wait_continues_after_a_restart_of_the_triggerer(
    freshet: Freshet, paused: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = freshet.pipelines.run(paused)

    async def restart_triggerer() -> TriggerEvent:
        waiting = asyncio.Event()
        monkeypatch.setattr(FreshetRunTrigger, "_log_progress", lambda *_: waiting.set())
        first = FreshetRunTrigger(str(run.id), "freshet_default")
        task = asyncio.create_task(get_event(first))
        await waiting.wait()
        task.cancel()
        await asyncio.wait([task])
        await first.cleanup()
        assert (await asyncio.to_thread(freshet.runs.get, run)).finished_at is None
        await asyncio.to_thread(freshet.pipelines.resume, paused)
        return await get_event(recreate(first))

    event = asyncio.run(restart_triggerer())
    assert event.payload == {"run_id": str(run.id), "error": None}
    assert freshet.runs.get(run).status == "succeeded"


@pytest.mark.parametrize("is_deferred", [True, False])
def test_a_killed_task_cancels_its_run(
    freshet: Freshet, paused: Pipeline, is_deferred: bool
) -> None:
    run = freshet.pipelines.run(paused)
    if is_deferred:
        asyncio.run(recreate(FreshetRunTrigger(str(run.id), "freshet_default")).on_kill())
    else:
        operator = FreshetRunOperator(task_id="task", pipeline="acme")
        operator.on_kill()
        assert freshet.runs.get(run).status != "cancelled"
        operator._active_run_id = str(run.id)
        operator.on_kill()
    assert freshet.runs.wait_until_finished(run).status == "cancelled"


def test_the_hook_tests_the_connection() -> None:
    valid, message = FreshetHook().test_connection()
    assert valid
    assert message == "The token airflow-provider-freshet with the role pipeline_admin is valid."
    valid, message = FreshetHook("unknown_token").test_connection()
    assert not valid
    assert "The API token is unknown" in message


def test_the_hook_builds_the_url() -> None:
    def read(**arguments: Any) -> str:
        return _read_connection(Connection(conn_id="c", conn_type="freshet", **arguments))[0]

    assert read(host="freshet.example.com") == "https://freshet.example.com"
    assert read(host="freshet", schema="http", port=8080) == "http://freshet:8080"
    assert read(host="http://freshet:8080/") == "http://freshet:8080/"
    with pytest.raises(ValueError, match="The connection c has no host"):
        read()
