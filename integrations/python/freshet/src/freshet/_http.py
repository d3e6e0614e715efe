"""The parts of the HTTP transport that the sync and the async client share."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any

import anyio
import httpx
from pydantic import BaseModel

from freshet.errors import ApiError, FreshetError, UnreachableError, build_api_error

#: Too many requests, and temporary failures of the deployment or of a proxy.
RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})
#: The error code if an earlier request with the same idempotency key is still running.
REQUEST_IN_PROGRESS = "request_in_progress"
BACKOFF_INITIAL_SECONDS = 0.25
BACKOFF_MAX_SECONDS = 30.0
#: The time limit of a request, in addition to the time for which the API waits for a run.
REQUEST_TIMEOUT_SECONDS = 60.0
#: The time for which the API waits for a run before it responds.
LONG_POLL_SECONDS = 30
#: The time for which the deployment may be unavailable while the client waits for a run.
OUTAGE_MAX_SECONDS = 600.0

Body = Mapping[str, Any] | BaseModel

sync_sleep = time.sleep
async_sleep = anyio.sleep


def normalize_url(url: str) -> str:
    """Validates the URL of a deployment, and removes trailing slashes."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"url must start with http:// or https://, but is {url!r}.")
    return url.rstrip("/")


def build_headers(token: str) -> dict[str, str]:
    """Returns the headers of every request."""
    if not token:
        raise ValueError("token is empty. Create an API token, which starts with frt_.")
    return {
        "authorization": f"Bearer {token}",
        "user-agent": f"freshet-python/{version('freshet')}",
    }


def build_request_headers(method: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    """Returns the headers of a request.

    A request that changes data has an idempotency key, so that the API executes the request only
    once, even if a response is lost and the request is repeated.
    """
    result = {name.lower(): value for name, value in (headers or {}).items()}
    if method not in ("GET", "HEAD"):
        result.setdefault("idempotency-key", str(uuid.uuid4()))
    return result


def encode_query(query: Mapping[str, Any] | None) -> dict[str, str]:
    """Encodes the values of query parameters, and omits parameters whose value is None."""
    return {name: encode_value(value) for name, value in (query or {}).items() if value is not None}


def encode_value(value: Any) -> str:
    """Encodes the value of a query parameter."""
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def encode_body(body: Body | None) -> Any:
    """Converts a body to JSON values. Fields of a model that are not set are omitted."""
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return body


def read_error(response: httpx.Response, base_url: str) -> ApiError | None:
    """Returns the error of a response, or None if the request succeeded."""
    if response.is_success:
        return None
    try:
        problem = response.json()
    except ValueError:
        # The body is not JSON, for example an HTML page of a proxy. Only the status is known.
        problem = {}
    return build_api_error(
        response.status_code, problem if isinstance(problem, dict) else {}, base_url
    )


def to_unreachable_error(error: httpx.HTTPError, base_url: str) -> UnreachableError:
    """Converts an error of the connection."""
    cause = str(error) or type(error).__name__
    return UnreachableError(
        f"{base_url} did not respond: {cause}. Check the URL and the network connection."
    )


def is_temporary(error: FreshetError) -> bool:
    """Tells whether a repeated request can succeed."""
    if isinstance(error, ApiError):
        return error.status in RETRYABLE_STATUSES or error.code == REQUEST_IN_PROGRESS
    return isinstance(error, UnreachableError)


def get_retry_delay(response: httpx.Response | None, attempt: int) -> float:
    """Returns the seconds to wait before the next attempt.

    The value is the time in `Retry-After` or, without this header, an exponential backoff with
    jitter. `attempt` is the number of attempts so far.
    """
    headers = response.headers if response is not None else httpx.Headers()
    retry_after: str | None = headers.get("retry-after")
    if retry_after is not None:
        try:
            return max(0.0, float(retry_after))
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
        except ValueError:
            pass
    return get_backoff(attempt)


def get_backoff(attempt: int) -> float:
    """Returns an exponential backoff with jitter, in seconds."""
    backoff = BACKOFF_INITIAL_SECONDS * 2.0 ** min(attempt - 1, 10)
    return min(BACKOFF_MAX_SECONDS, backoff) * (0.5 + random.random())


def to_seconds(timeout: float | timedelta | None) -> float | None:
    """Converts a time limit to seconds."""
    return timeout.total_seconds() if isinstance(timeout, timedelta) else timeout


def is_uuid(value: str) -> bool:
    """Tells whether a reference is an ID. Otherwise, it is a name."""
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True
