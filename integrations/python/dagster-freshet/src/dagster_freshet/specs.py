"""The definitions of the assets, which are derived from the tables of a pipeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dagster import (
    AssetKey,
    AssetSpec,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableSchema,
)

from dagster_freshet.resources import FreshetResource
from freshet.coverage import select_tables
from freshet.models import CatalogColumn, CatalogObject, Pipeline, PipelineObject

#: Returns the definition of the asset of a table.
BuildAssetSpec = Callable[["FreshetTable"], AssetSpec]


@dataclass(frozen=True)
class FreshetTable:
    """A table of a pipeline.

    Attributes:
        url: The URL of the API.
        pipeline: The pipeline.
        settings: The settings and the coverage of the object in the pipeline.
        object: The object in the catalog, with its documented columns.
    """

    url: str
    pipeline: Pipeline
    settings: PipelineObject
    object: CatalogObject


def load_tables(
    freshet: FreshetResource, pipeline: str, objects: Sequence[str] | None
) -> list[FreshetTable]:
    """Requests the tables of a pipeline."""
    # Dagster resolves environment variables only in resources of a running step.
    with freshet.process_config_and_initialize().connect() as client:
        resolved = client.pipelines.get(pipeline)
        catalog = {item.name: item for item in client.catalog.objects()}
        selected = select_tables(client.objects.list(resolved), objects)
        url = client.url
    return [FreshetTable(url, resolved, item, catalog[item.object]) for item in selected]


def build_asset_spec(table: FreshetTable) -> AssetSpec:
    """Returns the definition of the asset of a table.

    The key consists of the schema and the name of the table, and the group is the name of the
    pipeline. To change the definition, pass a function to `freshet_assets` that calls this function
    and `replace_attributes` or `merge_attributes` of the result.
    """
    schema, name = table.settings.table.split(".", 1)
    return AssetSpec(
        key=AssetKey([schema, name]),
        description=table.object.description,
        group_name=re.sub(r"\W", "_", table.pipeline.name),
        kinds={"freshet", "postgres"},
        metadata={
            "dagster/table_name": table.settings.table,
            "dagster/column_schema": build_table_schema(table),
            "freshet/object": table.settings.object,
            "freshet/pipeline": MetadataValue.url(
                f"{table.url}/console/pipelines/{table.pipeline.id}"
            ),
            "freshet/documentation": MetadataValue.url(str(table.object.docs)),
        },
    )


def build_table_schema(table: FreshetTable) -> TableSchema:
    """Returns the documented columns of a table, after the field rules of the pipeline."""
    rules = table.settings.columns
    columns: list[TableColumn] = []
    for column in table.object.columns:
        rule = rules.get(column.name)
        if rule is not None and rule.drop:
            continue
        columns.append(
            TableColumn(
                name=(rule and rule.rename) or column.name,
                type="text" if rule is not None and rule.hash else str(column.type),
                description=_describe_column(column),
                constraints=TableColumnConstraints(nullable=column.nullable),
            )
        )
    return TableSchema(columns=columns)


def _describe_column(column: CatalogColumn) -> str:
    values = "".join(f"\n- `{value}`: {text}" for value, text in (column.values or {}).items())
    return f"{column.description}{values}"
