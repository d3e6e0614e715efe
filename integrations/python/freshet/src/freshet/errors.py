"""Errors that the client raises."""

from __future__ import annotations

from typing import Any

from freshet.models import ProblemField, Run


class FreshetError(Exception):
    """Base class of all errors that the client raises."""


class UnreachableError(FreshetError):
    """The request received no response."""


class ApiError(FreshetError):
    """The API responded with an error status.

    Attributes:
        status: The HTTP status code.
        code: The stable error code, such as `not_found`. `unknown` if a proxy sent the response.
        detail: The cause of the error, and the remedy.
        type: The address of the documentation of the error code.
        errors: The invalid fields, with the JSON pointer of each field.
        request_id: The ID of the request. The logs of the deployment contain the same ID.
    """

    def __init__(  # noqa: PLR0917
        self,
        status: int,
        code: str,
        detail: str,
        type: str | None = None,
        errors: tuple[ProblemField, ...] = (),
        request_id: str | None = None,
    ) -> None:
        super().__init__(status, code, detail, type, errors, request_id)
        self.status = status
        self.code = code
        self.detail = detail
        self.type = type
        self.errors = errors
        self.request_id = request_id

    def __str__(self) -> str:
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.detail} ({self.status} {self.code}{request})"


class InvalidRequestError(ApiError):
    """The request is invalid, or Freshdesk or the warehouse rejected it (400, 413, 415 or 422)."""


class AuthenticationError(ApiError):
    """The token is missing, unknown, expired or revoked (401)."""


class PermissionDeniedError(ApiError):
    """The role or the scopes of the token do not include the required permission (403)."""


class NotFoundError(ApiError):
    """The resource does not exist (404)."""


class ConflictError(ApiError):
    """The request conflicts with the state of a resource (409 or 412)."""


class RateLimitError(ApiError):
    """The token has exceeded its rate limit, and all retries failed (429)."""


class ServerError(ApiError):
    """The deployment, or a proxy in front of it, failed (5xx)."""


class RunFailed(FreshetError):
    """A run finished without success. `run` contains the status and the errors of each object."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.run = run

    def __str__(self) -> str:
        return describe_run(self.run)


class RunTimeout(FreshetError, TimeoutError):
    """A run did not finish within the time limit. The run continues.

    Attributes:
        run: The last known state of the run.
        seconds: The time limit, in seconds.
        is_paused: Whether the pipeline is paused. The run waits until a user resumes the pipeline.
    """

    def __init__(self, run: Run, seconds: float, is_paused: bool = False) -> None:
        super().__init__(run, seconds, is_paused)
        self.run = run
        self.seconds = seconds
        self.is_paused = is_paused

    def __str__(self) -> str:
        cause = (
            "The pipeline is paused. Resume the pipeline to continue the run."
            if self.is_paused
            else "The run continues. Wait longer, or cancel the run."
        )
        return (
            f"Run {self.run.id} has the status {self.run.status}"
            f" after {self.seconds:g} seconds. {cause}"
        )


def describe_run(run: Run) -> str:
    """Describes the outcome of a run, with the error of each object that did not succeed."""
    failed = [item for item in run.objects if item.error is not None]
    causes = [
        f"{item.object}: {item.status} ({item.error.code}: {item.error.message})"
        for item in failed
        if item.error is not None
    ]
    listed = [*causes[:5], *([f"{len(causes) - 5} further objects"] if len(causes) > 5 else [])]
    outcome = f"Run {run.id} has the status {run.status}."
    return " ".join([outcome, *(["; ".join(listed)] if listed else [])])


_ERROR_TYPES: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: RateLimitError,
}


def build_api_error(status: int, problem: dict[str, Any], base_url: str) -> ApiError:
    """Builds the error of a response. `problem` is empty if the body is not a problem document."""
    error_type = _ERROR_TYPES.get(status, ServerError if status >= 500 else InvalidRequestError)
    type_ = problem.get("type")
    return error_type(
        status,
        str(problem.get("code", "unknown")),
        str(problem.get("detail", f"The server responded with status {status}.")),
        f"{base_url}{type_}" if isinstance(type_, str) and type_.startswith("/") else type_,
        tuple(ProblemField.model_validate(field) for field in problem.get("errors", [])),
        problem.get("request_id"),
    )
