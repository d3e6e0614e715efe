"""Checks how fresh the tables of a pipeline are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from freshet.models import PipelineObject

#: An object that the API key cannot read, and that has never been loaded, has no table.
_UNREADABLE = ("forbidden", "not_in_plan")


def select_tables(
    objects: Iterable[PipelineObject], names: Collection[str] | None = None
) -> list[PipelineObject]:
    """Selects the objects whose tables Freshet updates.

    Args:
        objects: All objects of a pipeline.
        names: The names of the objects to select. By default, the result contains all included
            objects, except objects that the API key has never been able to read.

    Raises:
        ValueError: The pipeline does not include an object in `names`.
    """
    included = [item for item in objects if item.included]
    if names is None:
        return [
            item
            for item in included
            if item.complete_as_of is not None or item.availability not in _UNREADABLE
        ]
    missing = sorted(set(names) - {item.object for item in included})
    if missing:
        raise ValueError(f"The pipeline does not include {', '.join(missing)}. Check the names.")
    return [item for item in included if item.object in names]


def find_stale_tables(
    objects: Iterable[PipelineObject], since: datetime, names: Collection[str] | None = None
) -> list[PipelineObject]:
    """Returns the objects whose tables lack changes that happened before `since`.

    A table that no run has completed is stale. The arguments `objects` and `names` are those of
    `select_tables`.
    """
    return [
        item
        for item in select_tables(objects, names)
        if item.complete_as_of is None or item.complete_as_of < since
    ]


def describe_tables(tables: Iterable[PipelineObject]) -> str:
    """Lists tables with the time up to which each table is complete."""
    return ", ".join(f"{item.object} ({_describe_coverage(item)})" for item in tables)


def _describe_coverage(item: PipelineObject) -> str:
    if item.complete_as_of is None:
        return "never completed"
    return f"complete as of {item.complete_as_of:%Y-%m-%dT%H:%M:%SZ}"
