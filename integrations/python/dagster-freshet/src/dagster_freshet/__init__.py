"""Dagster integration for Freshet, which replicates Freshdesk accounts into PostgreSQL."""

from dagster_freshet.assets import freshet_assets, freshet_observable_assets
from dagster_freshet.checks import freshet_freshness_checks
from dagster_freshet.resources import FreshetResource
from dagster_freshet.specs import FreshetTable, build_asset_spec

__all__ = [
    "FreshetResource",
    "FreshetTable",
    "build_asset_spec",
    "freshet_assets",
    "freshet_freshness_checks",
    "freshet_observable_assets",
]
