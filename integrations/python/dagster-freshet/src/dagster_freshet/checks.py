"""The asset checks, which compare the lag of tables with a maximum."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    multi_asset_check,
)

from dagster_freshet.assets import _get_step_name, describe_coverage
from dagster_freshet.resources import FreshetResource
from dagster_freshet.specs import BuildAssetSpec, build_asset_spec, load_tables
from freshet.models import PipelineObject

CHECK_NAME = "freshet_freshness"


def freshet_freshness_checks(
    freshet: FreshetResource,
    pipeline: str,
    *,
    max_lag: timedelta | Mapping[str, timedelta],
    objects: Sequence[str] | None = None,
    build_spec: BuildAssetSpec = build_asset_spec,
    severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
    blocking: bool = False,
    resource_key: str = "freshet",
    name: str | None = None,
) -> AssetChecksDefinition:
    """Defines a freshness check for each table of a pipeline.

    A check fails if the table lacks changes that are older than the maximum lag, or if no run has
    completed the table.

    Args:
        freshet: The resource, from which the tables are requested.
        pipeline: The name or the ID of the pipeline.
        max_lag: The maximum lag of all tables, or of each object by its name.
        objects: The names of the objects. By default, the keys of `max_lag` or, if `max_lag` is the
            same for all tables, all tables of the pipeline.
        build_spec: The function that was passed to `freshet_assets`.
        severity: The severity of a failed check.
        blocking: Whether a failed check prevents the execution of downstream assets.
        resource_key: The key of the resource in the definitions.
        name: The name of the step. By default, it contains the name of the pipeline.
    """
    if objects is None and not isinstance(max_lag, timedelta):
        objects = list(max_lag)
    tables = load_tables(freshet, pipeline, objects)
    pipeline_id = tables[0].pipeline.id if tables else pipeline
    lags = {
        item.settings.object: max_lag
        if isinstance(max_lag, timedelta)
        else max_lag[item.settings.object]
        for item in tables
    }
    specs = {
        item.settings.object: AssetCheckSpec(
            CHECK_NAME,
            asset=build_spec(item).key,
            description=f"The table is at most {lags[item.settings.object]} behind Freshdesk.",
            blocking=blocking,
        )
        for item in tables
    }

    @multi_asset_check(
        name=name or _get_step_name("freshet_check", pipeline),
        specs=list(specs.values()),
        required_resource_keys={resource_key},
        can_subset=True,
    )
    def check_freshness(context: AssetCheckExecutionContext) -> Iterator[AssetCheckResult]:
        resource: FreshetResource = getattr(context.resources, resource_key)
        with resource.connect() as client:
            current = {item.object: item for item in client.objects.list(pipeline_id)}
        now = datetime.now(timezone.utc)
        for key, spec in specs.items():
            if spec.key in context.selected_asset_check_keys:
                yield _check(current[key], spec, now - lags[key], severity)

    return check_freshness


def _check(
    item: PipelineObject, spec: AssetCheckSpec, since: datetime, severity: AssetCheckSeverity
) -> AssetCheckResult:
    complete_as_of = item.complete_as_of
    if complete_as_of is None:
        description = f"No run has completed {item.object}."
    else:
        description = f"{item.table} is complete as of {complete_as_of:%Y-%m-%d %H:%M:%S} UTC."
    return AssetCheckResult(
        passed=complete_as_of is not None and complete_as_of >= since,
        asset_key=spec.asset_key,
        check_name=spec.name,
        severity=severity,
        description=description,
        metadata=describe_coverage(item),
    )
