"""Tests of the Dagster integration. Assets and checks are executed by Dagster."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import dagster as dg
import pytest
from deployment_fixtures import CreatePipeline, read_code_blocks

from dagster_freshet import (
    FreshetResource,
    FreshetTable,
    assets,
    build_asset_spec,
    freshet_assets,
    freshet_freshness_checks,
    freshet_observable_assets,
)
from freshet import AuthenticationError, Freshet, NotFoundError, RunTimeout
from freshet.models import Pipeline

GROUPS = dg.AssetKey(["freshdesk_acme", "groups"])
AGENTS = dg.AssetKey(["freshdesk_acme", "agents"])


@pytest.fixture(scope="session")
def resource() -> FreshetResource:
    return FreshetResource(url=dg.EnvVar("FRESHET_URL"), token=dg.EnvVar("FRESHET_TOKEN"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="session")
def examples(acme: Pipeline) -> list[dict[str, Any]]:
    """The variables of the guide after each code block, which are executed in order."""
    variables: dict[str, Any] = {"freshet_observable_assets": freshet_observable_assets}
    states = []
    for block in read_code_blocks("dagster.md"):
        exec(compile(block, "dagster.md", "exec"), variables)  # noqa: S102
        states.append(dict(variables))
    return states


def materialize(
    definition: Any, resource: FreshetResource, instance: dg.DagsterInstance, **arguments: Any
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [definition], resources={"freshet": resource}, instance=instance, **arguments
    )


def get_failure(result: dg.ExecuteInProcessResult) -> str:
    [event] = result.get_step_failure_events()
    error = event.step_failure_data.error
    assert error is not None
    return error.to_string()


def test_the_first_example_syncs_on_a_schedule(
    examples: list[dict[str, Any]], instance: dg.DagsterInstance, freshet: Freshet
) -> None:
    defs: dg.Definitions = examples[0]["defs"]
    dg.Definitions.validate_loadable(defs)
    schedule = defs.resolve_schedule_def("sync_acme_schedule")
    context = dg.build_schedule_context(
        instance, scheduled_execution_time=datetime(2026, 1, 2, 6, tzinfo=timezone.utc)
    )
    assert len(schedule.evaluate_tick(context).run_requests or []) == 1
    result = defs.resolve_job_def("sync_acme").execute_in_process(instance=instance)
    assert result.success
    keys = {event.asset_key for event in result.get_asset_materialization_events()}
    assert keys == {AGENTS, GROUPS, dg.AssetKey("group_report")}
    evaluations = result.get_asset_check_evaluations()
    assert {evaluation.asset_key for evaluation in evaluations} == {AGENTS, GROUPS}
    assert all(evaluation.passed for evaluation in evaluations)


def test_the_example_of_metadata_changes_the_assets(examples: list[dict[str, Any]]) -> None:
    [spec, _] = examples[1]["support"].specs
    assert (spec.group_name, list(spec.owners)) == ("support", ["team:support"])


def test_the_example_of_checks_warns(
    examples: list[dict[str, Any]], resource: FreshetResource
) -> None:
    checks = examples[2]["checks"]
    assert {spec.asset_key for spec in checks.check_specs} == {AGENTS, GROUPS}


def test_the_last_example_observes_the_tables(
    examples: list[dict[str, Any]], instance: dg.DagsterInstance, freshet: Freshet
) -> None:
    defs: dg.Definitions = examples[3]["defs"]
    dg.Definitions.validate_loadable(defs)
    job = defs.resolve_implicit_global_asset_job_def()
    # Other tests can run the pipeline at the same time.
    before = freshet.objects.get("acme", "groups").complete_as_of
    result = job.execute_in_process(asset_selection=[GROUPS], instance=instance)
    after = freshet.objects.get("acme", "groups").complete_as_of
    assert result.success
    [observation] = result.get_asset_observation_events()
    data = observation.asset_observation_data.asset_observation
    assert data.asset_key == GROUPS
    complete_as_of = datetime.fromisoformat(data.tags["dagster/data_version"])
    assert before is not None
    assert after is not None
    assert before <= complete_as_of <= after
    assert data.metadata["freshet/complete_as_of"].value == complete_as_of.timestamp()


def test_assets_describe_the_tables(resource: FreshetResource, acme: Pipeline, url: str) -> None:
    definition = freshet_assets(resource, "acme")
    assert definition.keys == {AGENTS, GROUPS}
    spec = definition.specs_by_key[GROUPS]
    assert spec.group_name == "acme"
    assert spec.description
    assert spec.metadata["dagster/table_name"] == "freshdesk_acme.groups"
    assert spec.metadata["freshet/pipeline"].value == f"{url}/console/pipelines/{acme.id}"
    columns = {column.name: column for column in spec.metadata["dagster/column_schema"].columns}
    assert columns["id"].type == "bigint"
    assert all(column.description for column in columns.values())


def test_columns_follow_the_field_rules(
    resource: FreshetResource, freshet: Freshet, create_pipeline: CreatePipeline
) -> None:
    create_pipeline("rules")
    rules = {"description": {"drop": True}, "name": {"rename": "title", "hash": True}}
    freshet.objects.update("rules", "groups", {"columns": rules})
    definition = freshet_assets(resource, "rules", objects=["groups"])
    [spec] = definition.specs
    columns = {column.name: column for column in spec.metadata["dagster/column_schema"].columns}
    assert not {"description", "name"} & set(columns)
    assert columns["title"].type == "text"


def test_a_materialization_has_the_counts_of_the_run(
    resource: FreshetResource, acme: Pipeline, instance: dg.DagsterInstance, freshet: Freshet
) -> None:
    result = materialize(freshet_assets(resource, "acme"), resource, instance)
    assert result.success
    [event] = [
        event for event in result.get_asset_materialization_events() if event.asset_key == GROUPS
    ]
    metadata = event.materialization.metadata
    run_id = str(metadata["freshet/run"].value).rpartition("/")[2]
    [_, groups] = freshet.runs.get(run_id).objects
    assert metadata["freshet/records_extracted"].value == groups.records_extracted == 6
    assert metadata["freshet/rows_loaded"].value == groups.records_loaded
    assert groups.complete_as_of is not None
    assert metadata["freshet/complete_as_of"].value == groups.complete_as_of.timestamp()


def test_a_failed_run_fails_the_step(
    resource: FreshetResource, broken: Pipeline, instance: dg.DagsterInstance
) -> None:
    definition = freshet_assets(resource, "broken")
    result = materialize(definition, resource, instance, raise_on_error=False)
    assert not result.success
    assert "agents: failed (source_auth: Freshdesk rejected the API key" in get_failure(result)
    assert result.get_asset_materialization_events() == []


def test_a_partial_run_materializes_only_the_tables_that_succeeded(
    resource: FreshetResource, incomplete: Pipeline, instance: dg.DagsterInstance
) -> None:
    definition = freshet_assets(resource, "incomplete", objects=["groups", "tickets"])
    result = materialize(definition, resource, instance, raise_on_error=False)
    assert not result.success
    assert "has the status partial. groups: forbidden" in get_failure(result)
    keys = [event.asset_key for event in result.get_asset_materialization_events()]
    assert keys == [dg.AssetKey(["freshdesk_incomplete", "tickets"])]


def test_errors_of_the_api_name_the_cause(
    resource: FreshetResource, acme: Pipeline, url: str, instance: dg.DagsterInstance
) -> None:
    with pytest.raises(NotFoundError, match="No pipeline has the name 'unknown'"):
        freshet_assets(resource, "unknown")
    invalid = FreshetResource(url=url, token="frt_unknown")
    with pytest.raises(AuthenticationError, match="API token is unknown"):
        freshet_assets(invalid, "acme")
    definition = freshet_assets(resource, "acme")
    result = materialize(definition, invalid, instance, raise_on_error=False)
    assert "The API token is unknown" in get_failure(result)


@pytest.fixture
def paused(freshet: Freshet, create_pipeline: CreatePipeline) -> Pipeline:
    """A paused pipeline, whose runs wait until it is resumed."""
    pipeline = create_pipeline("dagster_paused")
    freshet.pipelines.resume(pipeline)
    freshet.pipelines.run(pipeline, wait=True)
    return freshet.pipelines.pause(pipeline)


def test_a_terminated_step_cancels_the_run(
    resource: FreshetResource, paused: Pipeline, freshet: Freshet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = freshet.pipelines.run(paused)
    with freshet_client(resource) as client:

        def terminate(*_: object, **__: object) -> None:
            raise dg.DagsterExecutionInterruptedError

        monkeypatch.setattr(client.runs, "wait_until_finished", terminate)
        with pytest.raises(dg.DagsterExecutionInterruptedError):
            assets._wait(client, run, None)
    assert freshet.runs.wait_until_finished(run).status == "cancelled"


def test_a_timeout_fails_the_step_and_the_run_continues(
    resource: FreshetResource, paused: Pipeline, freshet: Freshet, instance: dg.DagsterInstance
) -> None:
    definition = freshet_assets(resource, "dagster_paused", timeout=timedelta(milliseconds=1))
    with pytest.raises(RunTimeout, match="The pipeline is paused") as info:
        materialize(definition, resource, instance)
    assert freshet.runs.get(info.value.run).finished_at is None
    freshet.runs.cancel(info.value.run)


def freshet_client(resource: FreshetResource) -> Freshet:
    return Freshet(os.environ["FRESHET_URL"], os.environ["FRESHET_TOKEN"])


def test_a_stale_table_fails_its_check(
    resource: FreshetResource, acme: Pipeline, broken: Pipeline, instance: dg.DagsterInstance
) -> None:
    stale = freshet_freshness_checks(resource, "acme", max_lag=timedelta(seconds=-3600))
    empty = freshet_freshness_checks(resource, "broken", max_lag={"groups": timedelta(days=1)})
    job = dg.Definitions(
        asset_checks=[stale, empty], resources={"freshet": resource}
    ).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance)
    evaluations = {item.asset_key: item for item in result.get_asset_check_evaluations()}
    assert set(evaluations) == {AGENTS, GROUPS, dg.AssetKey(["freshdesk_broken", "groups"])}
    assert not any(item.passed for item in evaluations.values())
    assert str(evaluations[GROUPS].description).startswith("freshdesk_acme.groups is complete")
    assert (
        evaluations[dg.AssetKey(["freshdesk_broken", "groups"])].description
        == "No run has completed groups."
    )


def test_the_definition_of_a_table_can_be_replaced(
    resource: FreshetResource, acme: Pipeline, instance: dg.DagsterInstance
) -> None:
    def build_spec(table: FreshetTable) -> dg.AssetSpec:
        return build_asset_spec(table).replace_attributes(
            key=dg.AssetKey(["support", table.object.name])
        )

    definition = freshet_assets(resource, "acme", build_spec=build_spec)
    result = materialize(definition, resource, instance)
    keys = {event.asset_key for event in result.get_asset_materialization_events()}
    assert keys == {dg.AssetKey(["support", name]) for name in ("agents", "groups")}
