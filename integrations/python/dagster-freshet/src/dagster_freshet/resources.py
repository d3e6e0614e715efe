"""The resource, which connects to a deployment."""

from __future__ import annotations

from typing import Any

from dagster import ConfigurableResource
from pydantic import Field

from freshet import Freshet


class FreshetResource(ConfigurableResource[Any]):
    """The connection to a Freshet deployment."""

    url: str = Field(description="The URL of the API, such as `https://freshet.example.com`.")
    token: str = Field(description="An API token, which starts with `frt_`.")

    def connect(self) -> Freshet:
        """Creates a client. Use the client as a context manager, so that it is closed."""
        return Freshet(self.url, self.token)
