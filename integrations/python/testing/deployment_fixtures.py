"""Pytest plugin: fixtures for tests against a running deployment with the simulator."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest

from freshet import ConflictError, Freshet
from freshet.models import Pipeline

#: The repository, whose guides contain the tested examples.
ROOT = Path(__file__).resolve().parents[3]

CreatePipeline = Callable[..., Pipeline]


def read_code_blocks(guide: str, language: str = "python") -> list[str]:
    """Returns the code blocks of a guide in `docs/guides`."""
    text = (ROOT / "docs/guides" / guide).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="session")
def url() -> str:
    """The URL of the API."""
    return os.environ["FRESHET_URL"]


@pytest.fixture(scope="session")
def token() -> str:
    """An API token with the role `team_admin`.

    `FRESHET_TOKEN` has only the permissions that the guides name.
    """
    return os.environ["FRESHET_ADMIN_TOKEN"]


@pytest.fixture(scope="session")
def freshet(url: str, token: str) -> Iterator[Freshet]:
    """A client that repeats requests while the API restarts."""
    with Freshet(url, token, max_attempts=10) as client:
        yield client


@pytest.fixture(scope="session")
def create_pipeline(freshet: Freshet) -> CreatePipeline:
    """Returns a function that creates a pipeline of a few small objects."""
    catalog = [item.name for item in freshet.catalog.objects()]

    def create(
        name: str, objects: tuple[str, ...] = ("groups", "agents"), key: str = "demo-admin-key"
    ) -> Pipeline:
        try:
            return freshet.pipelines.create(
                {
                    "name": name,
                    "destination_id": str(create_destination(freshet, name)),
                    "destination_schema": f"freshdesk_{name}".replace("-", "_"),
                    "source": {
                        "type": "freshdesk",
                        "subdomain": "demo",
                        "credential_id": str(create_key(freshet, name, key)),
                    },
                    "audit_frequency_days": None,
                    "objects": {item: {"included": item in objects} for item in catalog},
                }
            )
        except ConflictError:
            # Another test suite has created the pipeline.
            return freshet.pipelines.get(name)

    return create


@pytest.fixture(scope="session")
def acme(freshet: Freshet, create_pipeline: CreatePipeline) -> Pipeline:
    """The pipeline of the guides, after its first run."""
    pipeline = create_pipeline("acme")
    freshet.pipelines.run(pipeline, wait=True)
    return pipeline


@pytest.fixture(scope="session")
def broken(freshet: Freshet, create_pipeline: CreatePipeline) -> Pipeline:
    """A pipeline whose API key Freshdesk rejects, so that its runs fail."""
    return create_pipeline("broken", key="unknown-key")


@pytest.fixture(scope="session")
def incomplete(freshet: Freshet, create_pipeline: CreatePipeline) -> Pipeline:
    """A pipeline whose API key cannot read one of its objects, so that its runs are partial."""
    return create_pipeline("incomplete", objects=("groups", "tickets"), key="demo-agent-key")


def create_key(freshet: Freshet, name: str, key: str) -> object:
    """Creates the credential of the simulated account, and returns its ID."""
    body = {"name": f"{name} key", "type": "freshdesk_api_key", "api_key": key}
    return freshet.credentials.create(body).id


def create_destination(freshet: Freshet, name: str) -> object:
    """Creates the destination of a pipeline, and returns its ID."""
    warehouse = urlparse(os.environ["WAREHOUSE_URL"])
    password = freshet.credentials.create(
        {
            "name": f"{name} password",
            "type": "postgres_password",
            "password": warehouse.password,
        }
    )
    return freshet.destinations.create(
        {
            "name": name,
            "type": "postgres",
            "host": warehouse.hostname,
            "port": warehouse.port,
            "database": warehouse.path[1:],
            "username": warehouse.username,
            "credential_id": str(password.id),
            "ssl_mode": "disable",
        }
    ).id
