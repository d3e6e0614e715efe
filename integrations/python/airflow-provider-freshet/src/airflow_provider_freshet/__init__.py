"""Airflow provider for Freshet, which replicates Freshdesk accounts into PostgreSQL."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Returns the metadata of the provider. Airflow calls this function through an entry point."""
    return {
        "package-name": "airflow-provider-freshet",
        "name": "Freshet",
        "description": "Starts runs of Freshet, and waits for fresh tables.",
        "versions": [version("airflow-provider-freshet")],
        "connection-types": [
            {
                "connection-type": "freshet",
                "hook-class-name": "airflow_provider_freshet.hooks.FreshetHook",
                "hook-name": "Freshet",
                "ui-field-behaviour": {
                    "hidden-fields": ["login", "schema", "extra"],
                    "relabeling": {"host": "URL", "password": "API token"},
                    "placeholders": {"host": "https://freshet.example.com", "password": "frt_…"},
                },
            }
        ],
        "extra-links": ["airflow_provider_freshet.operators.FreshetRunLink"],
    }
