"""Tests of the retries. Failures are injected between the client and a running deployment."""

from collections.abc import Callable

import httpx
import pytest
from deployment_fixtures import CreatePipeline

import freshet._sync.transport as sync_transport
from freshet import Freshet, RateLimitError, ServerError, UnreachableError
from freshet.models import Pipeline, Run

Fault = Callable[[httpx.Request, httpx.BaseTransport], httpx.Response]


class FaultyTransport(httpx.BaseTransport):
    """Replaces the first responses by failures."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        self.requests: list[httpx.Request] = []
        self._http = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.faults:
            return self.faults.pop(0)(request, self._http)
        return self._http.handle_request(request)


def respond(status: int, headers: dict[str, str] | None = None, text: str = "") -> Fault:
    return lambda _request, _http: httpx.Response(status, headers=headers, text=text)


def lose_response(request: httpx.Request, http: httpx.BaseTransport) -> httpx.Response:
    http.handle_request(request).read()
    raise httpx.ReadError("The connection was closed.", request=request)


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Records the delays before retries, and does not wait."""
    recorded: list[float] = []
    monkeypatch.setattr(sync_transport, "sync_sleep", recorded.append)
    return recorded


def test_a_lost_response_starts_no_second_run(
    url: str, token: str, create_pipeline: CreatePipeline, delays: list[float]
) -> None:
    pipeline = create_pipeline("lost_response")
    transport = FaultyTransport(lose_response)
    client = Freshet(url, token, transport=transport)
    run = client.pipelines.run(pipeline, wait=True)
    starts = [request for request in transport.requests if request.method == "POST"]
    assert len({request.headers["idempotency-key"] for request in starts}) == 1
    assert len(starts) == 2
    runs = list(client.runs.list(pipeline_id=pipeline.id, kind="sync"))
    assert runs[0].id == run.id
    assert len(delays) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retries_wait_for_the_time_in_retry_after(
    url: str, token: str, delays: list[float], status: int
) -> None:
    faults = [respond(status, {"retry-after": "7"}), respond(status, {"retry-after": "0.5"})]
    client = Freshet(url, token, transport=FaultyTransport(*faults))
    assert client.get_current_token().role == "team_admin"
    assert delays == [7, 0.5]


def test_retries_without_retry_after_back_off(url: str, token: str, delays: list[float]) -> None:
    client = Freshet(url, token, transport=FaultyTransport(*[respond(502)] * 3))
    client.get_current_token()
    bounds = [(0.125, 0.375), (0.25, 0.75), (0.5, 1.5)]
    assert all(low <= delay <= high for delay, (low, high) in zip(delays, bounds, strict=True))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (respond(429), (RateLimitError, "responded with status 429")),
        (respond(504, text="<html>"), (ServerError, r"status 504. \(504 unknown\)")),
        (lose_response, (UnreachableError, "The connection was closed")),
    ],
)
def test_the_last_attempt_raises(
    url: str, token: str, delays: list[float], fault: Fault, error: tuple[type[Exception], str]
) -> None:
    client = Freshet(url, token, transport=FaultyTransport(fault, fault), max_attempts=2)
    with pytest.raises(error[0], match=error[1]):
        client.get_current_token()
    assert len(delays) == 1


def test_permanent_errors_are_not_retried(url: str, token: str, delays: list[float]) -> None:
    client = Freshet(url, token, transport=FaultyTransport(respond(500)))
    with pytest.raises(ServerError):
        client.get_current_token()
    assert delays == []


def test_unknown_fields_and_values_are_accepted(acme: Pipeline) -> None:
    newer = acme.model_dump(mode="json", by_alias=True) | {"status": "archived", "color": "red"}
    pipeline = Pipeline.model_validate(newer)
    assert pipeline.status == "archived"
    assert pipeline.model_extra == {"color": "red"}
    with pytest.raises(ValueError, match="frozen"):
        pipeline.name = "other"


def test_a_run_with_an_unknown_final_status_is_no_success(
    url: str, token: str, acme: Pipeline, delays: list[float]
) -> None:
    run = Freshet(url, token).pipelines.run(acme, wait=True)
    text = run.model_copy(update={"status": "degraded"}).model_dump_json(by_alias=True)
    client = Freshet(url, token, transport=FaultyTransport(respond(200, text=text)))
    with pytest.raises(Exception, match="has the status degraded"):
        client.runs.wait(Run.model_validate_json(text))
