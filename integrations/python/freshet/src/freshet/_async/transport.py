"""Sends requests, and retries temporary failures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

import httpx

from freshet._http import (
    LONG_POLL_SECONDS,
    REQUEST_TIMEOUT_SECONDS,
    Body,
    async_sleep,
    build_headers,
    build_request_headers,
    encode_body,
    encode_query,
    get_retry_delay,
    is_temporary,
    normalize_url,
    read_error,
    to_unreachable_error,
)
from freshet._model import FreshetModel
from freshet.errors import FreshetError

T = TypeVar("T", bound=FreshetModel)


class AsyncTransport:
    """Sends requests to one deployment, and parses the responses."""

    def __init__(
        self, url: str, token: str, max_attempts: int, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self.url = normalize_url(url)
        self._max_attempts = max(1, max_attempts)
        self._http = httpx.AsyncClient(
            headers=build_headers(token),
            timeout=httpx.Timeout(REQUEST_TIMEOUT_SECONDS + LONG_POLL_SECONDS, connect=10),
            transport=transport,
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Sends a request, and repeats it after temporary failures.

        All attempts have the same idempotency key, so the API executes the request only once.
        """
        request_headers = build_request_headers(method, headers)
        attempt = 0
        while True:
            attempt += 1
            response: httpx.Response | None = None
            error: FreshetError | None
            try:
                response = await self._http.request(
                    method,
                    f"{self.url}{path}",
                    params=encode_query(query),
                    json=encode_body(body),
                    headers=request_headers,
                )
                error = read_error(response, self.url)
            except httpx.HTTPError as cause:
                error = to_unreachable_error(cause, self.url)
                error.__cause__ = cause
            if error is None and response is not None:
                return response
            if error is not None and (attempt >= self._max_attempts or not is_temporary(error)):
                raise error
            await async_sleep(get_retry_delay(response, attempt))

    async def fetch(
        self,
        model: type[T],
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Sends a request, and parses the response."""
        response = await self.send(method, path, query=query, body=body, headers=headers)
        return model.model_validate_json(response.content)

    async def paginate(
        self, model: type[T], path: str, query: Mapping[str, Any] | None = None
    ) -> AsyncIterator[T]:
        """Yields all items of a list. Each page is requested when the iteration reaches it."""
        cursor: str | None = None
        while True:
            response = await self.send("GET", path, query={**(query or {}), "cursor": cursor})
            page = response.json()
            for item in page["data"]:
                yield model.model_validate(item)
            cursor = page.get("next_cursor")
            if cursor is None:
                return
