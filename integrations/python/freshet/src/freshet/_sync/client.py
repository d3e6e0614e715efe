"""The client of a deployment."""

# Generated from `freshet._async` by `integrations/python/generate.py`. Do not edit.

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx
from typing_extensions import Self

from freshet._http import Body
from freshet._sync.pipelines import Objects, Pipelines, Reports
from freshet._sync.resources import (
    Catalog,
    Credentials,
    Destinations,
    Webhooks,
)
from freshet._sync.runs import Runs
from freshet._sync.transport import Transport
from freshet.models import CurrentToken


class Freshet:
    """The client of a Freshet deployment.

    Use the client as a context manager, or call `close` when it is no longer needed.

    Args:
        url: The URL of the API, such as `https://freshet.example.com`.
        token: An API token, which starts with `frt_`.
        max_attempts: How often a request is sent at most if temporary failures occur.
        transport: The transport of httpx, for example to use a proxy.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        max_attempts: int = 5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(url, token, max_attempts, transport)
        self.url = self._transport.url
        self.catalog = Catalog(self._transport)
        self.credentials = Credentials(self._transport)
        self.destinations = Destinations(self._transport)
        self.runs = Runs(self._transport)
        self.pipelines = Pipelines(self._transport, self.runs)
        self.objects = Objects(self._transport, self.pipelines)
        self.reports = Reports(self._transport, self.pipelines)
        self.webhooks = Webhooks(self._transport)

    def get_current_token(self) -> CurrentToken:
        """Returns the name, role and permissions of the token of this client."""
        return self._transport.fetch(CurrentToken, "GET", "/v1/tokens/current")

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Calls any operation of the API by its path, such as `/v1/usage`.

        Returns:
            The JSON value of the response. None if the response has no body.
        """
        response = self._transport.send(
            method.upper(), path, query=query, body=body, headers=headers
        )
        return response.json() if response.content else None

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
