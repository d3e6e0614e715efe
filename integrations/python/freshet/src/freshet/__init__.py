"""Python client for Freshet, which replicates Freshdesk accounts into PostgreSQL.

    from freshet import Freshet

    with Freshet("https://freshet.example.com", token) as freshet:
        run = freshet.pipelines.run("acme", wait=True)

`AsyncFreshet` has the same methods as coroutines. `freshet.models` contains the types of the API.
"""

from freshet._async.client import AsyncFreshet
from freshet._sync.client import Freshet
from freshet.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    FreshetError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RunFailed,
    RunTimeout,
    ServerError,
    UnreachableError,
)

__all__ = [
    "ApiError",
    "AsyncFreshet",
    "AuthenticationError",
    "ConflictError",
    "Freshet",
    "FreshetError",
    "InvalidRequestError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RunFailed",
    "RunTimeout",
    "ServerError",
    "UnreachableError",
]
