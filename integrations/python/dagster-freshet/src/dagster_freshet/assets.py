"""The assets: one for each table of a pipeline.

Dagster reads the annotation of `context` at run time, so this module does not postpone annotations.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    DagsterExecutionInterruptedError,
    DataVersion,
    Failure,
    MaterializeResult,
    MetadataValue,
    ObserveResult,
    get_dagster_logger,
    multi_asset,
    multi_observable_source_asset,
)

from dagster_freshet.resources import FreshetResource
from dagster_freshet.specs import BuildAssetSpec, build_asset_spec, load_tables
from freshet import Freshet
from freshet.errors import describe_run
from freshet.models import ObjectRun, PipelineObject, Run


def freshet_assets(
    freshet: FreshetResource,
    pipeline: str,
    *,
    objects: Sequence[str] | None = None,
    build_spec: BuildAssetSpec = build_asset_spec,
    resource_key: str = "freshet",
    timeout: timedelta | None = None,
    name: str | None = None,
) -> AssetsDefinition:
    """Defines one asset for each table of a pipeline.

    A materialization starts one run of the pipeline, and waits until the run finishes. An asset is
    materialized only if the object has succeeded in the run. The step fails if the run has a status
    other than `succeeded`. If Dagster terminates the step, the run is cancelled.

    The tables are requested from the API when Dagster loads the definitions.

    Args:
        freshet: The resource, from which the tables are requested.
        pipeline: The name or the ID of the pipeline.
        objects: The names of the objects. By default, all tables of the pipeline have assets.
        build_spec: Returns the definition of the asset of a table.
        resource_key: The key of the resource in the definitions.
        timeout: The time limit of a run. When it elapses, the step fails, and the run continues.
        name: The name of the step. By default, it contains the name of the pipeline.
    """
    tables = load_tables(freshet, pipeline, objects)
    specs = {item.settings.object: build_spec(item) for item in tables}
    pipeline_id = tables[0].pipeline.id if tables else pipeline

    @multi_asset(
        name=name or _get_step_name("freshet", pipeline),
        # An object that the API key cannot read does not fail a run, and is not materialized.
        specs=[spec._replace(skippable=True) for spec in specs.values()],
        required_resource_keys={resource_key},
    )
    def materialize_tables(context: AssetExecutionContext) -> Iterator[MaterializeResult[Any]]:
        resource: FreshetResource = getattr(context.resources, resource_key)
        with resource.connect() as client:
            started = client.pipelines.run(pipeline_id, idempotency_key=_get_key(context))
            context.log.info(f"Run {started.id} of the pipeline {pipeline} has started.")
            run = _wait(client, started, timeout)
            yield from _materialize(run, {key: spec.key for key, spec in specs.items()}, client.url)

    return materialize_tables


def freshet_observable_assets(
    freshet: FreshetResource,
    pipeline: str,
    *,
    objects: Sequence[str] | None = None,
    build_spec: BuildAssetSpec = build_asset_spec,
    resource_key: str = "freshet",
    name: str | None = None,
) -> AssetsDefinition:
    """Defines one observable source asset for each table of a pipeline.

    Use these assets instead of `freshet_assets` if Freshet starts the runs on its own schedule. An
    observation records the time up to which the table is complete. The data version changes when
    this time changes. The arguments are those of `freshet_assets`.
    """
    tables = load_tables(freshet, pipeline, objects)
    specs = {item.settings.object: build_spec(item) for item in tables}
    pipeline_id = tables[0].pipeline.id if tables else pipeline

    @multi_observable_source_asset(  # type: ignore[untyped-decorator]
        name=name or _get_step_name("freshet_observe", pipeline),
        specs=list(specs.values()),
        required_resource_keys={resource_key},
        can_subset=True,
    )
    def observe_tables(context: AssetExecutionContext) -> Iterator[ObserveResult]:
        resource: FreshetResource = getattr(context.resources, resource_key)
        with resource.connect() as client:
            current = {item.object: item for item in client.objects.list(pipeline_id)}
        for key, spec in specs.items():
            if spec.key not in context.selected_asset_keys:
                continue
            complete_as_of = current[key].complete_as_of
            if complete_as_of is None:
                context.log.warning(f"No run has completed {key}.")
                continue
            yield ObserveResult(
                asset_key=spec.key,
                data_version=DataVersion(complete_as_of.isoformat()),
                metadata=describe_coverage(current[key]),
            )

    return cast(AssetsDefinition, observe_tables)


def describe_coverage(item: PipelineObject) -> dict[str, Any]:
    """Returns the metadata of a table that describes its freshness."""
    metadata: dict[str, Any] = {"freshet/availability": str(item.availability)}
    if item.complete_as_of is not None:
        metadata["freshet/complete_as_of"] = _to_timestamp(item.complete_as_of)
        # Dagster's freshness checks read this key.
        metadata["dagster/last_updated_timestamp"] = _to_timestamp(item.complete_as_of)
    if item.complete_back_to is not None and item.complete_back_to.year > 1970:
        metadata["freshet/complete_back_to"] = _to_timestamp(item.complete_back_to)
    return metadata


def _wait(client: Freshet, run: Run, timeout: timedelta | None) -> Run:
    log = get_dagster_logger()

    def log_progress(state: Run) -> None:
        progress = "" if state.progress is None else f", {state.progress:.0%} complete"
        log.info(f"Run {state.id} is {state.status}{progress}.")

    try:
        return client.runs.wait_until_finished(run, timeout=timeout, on_progress=log_progress)
    except (DagsterExecutionInterruptedError, KeyboardInterrupt):
        # Dagster terminates the step. After other errors, such as a timeout, the run continues.
        client.runs.cancel(run)
        log.info(f"Run {run.id} is cancelled, because the step was terminated.")
        raise


def _materialize(run: Run, keys: dict[str, AssetKey], url: str) -> Iterator[MaterializeResult[Any]]:
    """Yields the materializations of the objects that have succeeded."""
    run_url = MetadataValue.url(f"{url}/console/runs/{run.id}")
    for item in run.objects:
        if item.object in keys and item.status == "succeeded":
            yield MaterializeResult(
                asset_key=keys[item.object], metadata=_describe_object_run(item, run_url)
            )
    if run.status != "succeeded":
        raise Failure(
            description=describe_run(run),
            metadata={"freshet/run": run_url, "freshet/status": str(run.status)},
        )


def _describe_object_run(item: ObjectRun, run_url: MetadataValue[Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "freshet/run": run_url,
        "freshet/records_extracted": item.records_extracted,
        "freshet/rows_loaded": item.records_loaded,
        "freshet/rows_deleted": item.records_deleted,
        "freshet/records_rejected": item.records_rejected,
        "freshet/credits_used": item.credits_used,
    }
    if item.complete_as_of is not None:
        metadata["freshet/complete_as_of"] = _to_timestamp(item.complete_as_of)
    if item.warnings:
        warnings = "\n".join(f"- {warning.message}" for warning in item.warnings)
        metadata["freshet/warnings"] = MetadataValue.md(warnings)
    return metadata


def _to_timestamp(time: datetime) -> MetadataValue[Any]:
    return MetadataValue.timestamp(time.timestamp())


def _get_step_name(prefix: str, pipeline: str) -> str:
    return f"{prefix}_{re.sub(r'[^A-Za-z0-9_]', '_', pipeline)}"


def _get_key(context: AssetExecutionContext) -> str:
    """Returns the same idempotency key if the same attempt of a step is executed again."""
    step = context.op_execution_context
    return f"dagster-{context.run.run_id}-{step.op_handle}-{step.retry_number}"[:255]
