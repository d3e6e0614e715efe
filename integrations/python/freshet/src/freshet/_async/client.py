"""The client of a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import httpx
from typing_extensions import Self

from freshet._async.pipelines import AsyncObjects, AsyncPipelines, AsyncReports
from freshet._async.resources import (
    AsyncCatalog,
    AsyncCredentials,
    AsyncDestinations,
    AsyncWebhooks,
)
from freshet._async.runs import AsyncRuns
from freshet._async.transport import AsyncTransport
from freshet._http import Body
from freshet.models import CurrentToken


class AsyncFreshet:
    """The client of a Freshet deployment.

    Use the client as a context manager, or call `aclose` when it is no longer needed.

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = AsyncTransport(url, token, max_attempts, transport)
        self.url = self._transport.url
        self.catalog = AsyncCatalog(self._transport)
        self.credentials = AsyncCredentials(self._transport)
        self.destinations = AsyncDestinations(self._transport)
        self.runs = AsyncRuns(self._transport)
        self.pipelines = AsyncPipelines(self._transport, self.runs)
        self.objects = AsyncObjects(self._transport, self.pipelines)
        self.reports = AsyncReports(self._transport, self.pipelines)
        self.webhooks = AsyncWebhooks(self._transport)

    async def get_current_token(self) -> CurrentToken:
        """Returns the name, role and permissions of the token of this client."""
        return await self._transport.fetch(CurrentToken, "GET", "/v1/tokens/current")

    async def request(
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
        response = await self._transport.send(
            method.upper(), path, query=query, body=body, headers=headers
        )
        return response.json() if response.content else None

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
