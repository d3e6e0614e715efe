"""Tests of the sync client against a running deployment."""

import pickle
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from deployment_fixtures import CreatePipeline, read_code_blocks

from freshet import (
    AuthenticationError,
    ConflictError,
    Freshet,
    InvalidRequestError,
    NotFoundError,
    RunFailed,
    RunTimeout,
    UnreachableError,
)
from freshet.coverage import describe_tables, find_stale_tables, select_tables
from freshet.models import (
    Credential,
    FreshdeskApiKeyInput,
    Pipeline,
    PipelineObjectUpdate,
    Run,
    WebhookInput,
)


@pytest.fixture
def paused(freshet: Freshet, create_pipeline: CreatePipeline) -> Pipeline:
    """A paused pipeline, whose runs wait until it is resumed."""
    name = f"paused {uuid.uuid4().hex[:8]}"
    pipeline = create_pipeline(name.replace(" ", "_"))
    freshet.pipelines.run(pipeline, wait=True)
    return freshet.pipelines.pause(pipeline)


def test_pipelines_are_found_by_name_id_and_object(freshet: Freshet, acme: Pipeline) -> None:
    for reference in ("acme", acme.id, str(acme.id), acme):
        assert freshet.pipelines.get(reference).id == acme.id
    assert acme.id in [pipeline.id for pipeline in freshet.pipelines.list(status="active")]


def test_run_waits_until_the_run_succeeds(freshet: Freshet, acme: Pipeline) -> None:
    states: list[Run] = []
    run = freshet.pipelines.run("acme", wait=True, timeout=60, on_progress=states.append)
    assert run.status == "succeeded"
    assert run.finished_at is not None
    assert [item.object for item in run.objects] == ["agents", "groups"]
    assert all(state.finished_at is None for state in states)
    assert freshet.runs.get(run.id) == run
    assert run.id in [item.id for item in freshet.runs.list(pipeline_id=acme.id, kind="sync")]


def test_a_second_start_returns_the_active_run(freshet: Freshet, paused: Pipeline) -> None:
    first = freshet.pipelines.run(paused)
    assert freshet.pipelines.run(paused).id == first.id
    freshet.runs.cancel(first)


def test_a_repeated_idempotency_key_returns_the_first_run(freshet: Freshet, acme: Pipeline) -> None:
    key = str(uuid.uuid4())
    first = freshet.pipelines.run(acme, wait=True, idempotency_key=key)
    assert freshet.pipelines.run(acme, wait=True, idempotency_key=key).id == first.id
    assert freshet.pipelines.run(acme, wait=True).id != first.id


def test_a_failed_run_raises_the_cause_of_each_object(freshet: Freshet, broken: Pipeline) -> None:
    with pytest.raises(RunFailed, match=r"agents: failed .*Freshdesk rejected the API key") as info:
        freshet.pipelines.run(broken, wait=True, allow_partial=True)
    assert info.value.run.status == "failed"
    copy = pickle.loads(pickle.dumps(info.value))  # noqa: S301
    assert str(copy) == str(info.value)
    finished = freshet.runs.wait_until_finished(info.value.run)
    assert finished.status == "failed"


def test_a_partial_run_is_a_failure_by_default(freshet: Freshet, incomplete: Pipeline) -> None:
    with pytest.raises(RunFailed, match="groups: forbidden"):
        freshet.pipelines.run(incomplete, wait=True)
    assert freshet.pipelines.run(incomplete, wait=True, allow_partial=True).status == "partial"


def test_a_timeout_names_the_paused_pipeline(freshet: Freshet, paused: Pipeline) -> None:
    with pytest.raises(RunTimeout, match="The pipeline is paused") as info:
        freshet.pipelines.run(paused, wait=True, timeout=timedelta(milliseconds=1))
    assert isinstance(info.value, TimeoutError)
    assert freshet.runs.get(info.value.run).finished_at is None
    freshet.runs.cancel(info.value.run)


def test_a_cancelled_run_is_a_failure(freshet: Freshet, paused: Pipeline) -> None:
    run = freshet.pipelines.run(paused)
    freshet.runs.cancel(run)
    with pytest.raises(RunFailed, match="has the status cancelled"):
        freshet.runs.wait(run)


def test_lists_are_paginated(freshet: Freshet, acme: Pipeline) -> None:
    pages = freshet._transport.paginate(Credential, "/v1/credentials", {"limit": 1})
    paginated = [item.id for item in pages]
    assert paginated == [item.id for item in freshet.credentials.list()]
    assert len(set(paginated)) == len(paginated) > 2


def test_errors_have_types_and_name_the_cause(freshet: Freshet, url: str, acme: Pipeline) -> None:
    with pytest.raises(AuthenticationError, match="API token is unknown") as unauthenticated:
        Freshet(url, "frt_unknown").pipelines.get("acme")
    assert unauthenticated.value.type == f"{url}/docs/errors#unauthenticated"
    assert unauthenticated.value.request_id
    with pytest.raises(NotFoundError, match="No pipeline has the name 'unknown'"):
        freshet.pipelines.run("unknown")
    with pytest.raises(NotFoundError):
        freshet.runs.get(uuid.uuid4())
    with pytest.raises(InvalidRequestError) as invalid:
        freshet.pipelines.update(acme, {"frequency_minutes": 1})
    assert [error.pointer for error in invalid.value.errors] == ["/frequency_minutes"]
    with pytest.raises(ConflictError, match="already used"):
        freshet.credentials.create(
            FreshdeskApiKeyInput(name="acme key", type="freshdesk_api_key", api_key="x")
        )
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9 did not respond"):
        Freshet("http://127.0.0.1:9", "frt_x", max_attempts=1).pipelines.get("acme")
    with pytest.raises(ValueError, match="url must start with"):
        Freshet("freshet.example.com", "frt_x")


def test_objects_have_settings_and_coverage(freshet: Freshet, acme: Pipeline) -> None:
    updated = freshet.objects.update(acme, "groups", PipelineObjectUpdate(max_staleness_minutes=60))
    assert updated.max_staleness_minutes == 60
    assert freshet.objects.get("acme", "groups") == updated
    with pytest.raises(NotFoundError):
        freshet.objects.get("acme", "unknown")
    objects = list(freshet.objects.list("acme"))
    tables = [item.table for item in select_tables(objects)]
    assert tables == ["freshdesk_acme.agents", "freshdesk_acme.groups"]
    now = datetime.now(timezone.utc)
    assert find_stale_tables(objects, now - timedelta(hours=1)) == []
    stale = find_stale_tables(objects, now + timedelta(hours=1), ["groups"])
    assert [item.object for item in stale] == ["groups"]
    assert describe_tables(stale).startswith("groups (complete as of 2")
    with pytest.raises(ValueError, match="does not include tickets"):
        find_stale_tables(objects, now, ["tickets"])


def test_an_object_without_a_completed_run_is_stale(freshet: Freshet, broken: Pipeline) -> None:
    with pytest.raises(RunFailed):
        freshet.pipelines.run(broken, wait=True)
    objects = list(freshet.objects.list(broken))
    stale = find_stale_tables(objects, datetime(1970, 1, 1, tzinfo=timezone.utc))
    assert describe_tables(stale) == "agents (never completed), groups (never completed)"


def test_a_refresh_extracts_one_record(freshet: Freshet) -> None:
    freshet.pipelines.run("demo", wait=True)
    run = freshet.runs.wait(freshet.objects.refresh("demo", "tickets", 7))
    assert run.kind == "refresh"


def test_reports_have_rows(freshet: Freshet) -> None:
    wait_for_models(freshet, "demo")
    names = [report.name for report in freshet.reports.list("demo")]
    assert "tickets_created_resolved" in names
    today = datetime.now(timezone.utc).date()
    result = freshet.reports.run(
        "demo", "tickets_created_resolved", start=today - timedelta(days=28), group_by="week"
    )
    assert result.rows
    assert set(result.rows[0]) == {column.name for column in result.columns}
    with pytest.raises(ConflictError) as info:
        freshet.reports.run("acme", "tickets_created_resolved")
    assert info.value.code == "analytics_off"


def wait_for_models(freshet: Freshet, pipeline: str) -> None:
    """Waits until the analytics models of a pipeline exist."""
    while True:
        refresh = freshet.pipelines.get(pipeline).analytics_refresh
        if refresh is not None and refresh.refreshed_at is not None:
            return
        time.sleep(0.2)


def test_webhooks_are_created_and_deleted(freshet: Freshet) -> None:
    created = freshet.webhooks.create(
        WebhookInput(name="python", url="https://hooks.example.com/x", events=["run.failed"])
    )
    assert created.secret.startswith("whsec_")
    assert freshet.webhooks.update("python", {"enabled": False}).enabled is False
    assert list(freshet.webhooks.deliveries(created.id)) == []
    freshet.webhooks.delete("python")
    with pytest.raises(NotFoundError):
        freshet.webhooks.get("python")


def test_every_operation_can_be_called(freshet: Freshet, acme: Pipeline) -> None:
    usage = freshet.request("GET", "/v1/usage", query={"pipeline_id": acme.id})
    assert {item["object"] for item in usage["data"]} == {"agents", "groups"}
    assert (
        freshet.request(
            "POST",
            "/v1/webhooks",
            body={
                "name": "removed",
                "url": "https://hooks.example.com/x",
                "events": ["run.failed"],
            },
        )["name"]
        == "removed"
    )
    removed = freshet.webhooks.get("removed")
    assert freshet.request("DELETE", f"/v1/webhooks/{removed.id}") is None


def test_the_example_of_the_guide_works(
    freshet: Freshet,
    acme: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    freshet.pipelines.update("demo", {"analytics": True})
    blocks = read_code_blocks("python.md")
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, "python.md", "exec"), {"__name__": "__main__"})  # noqa: S102
    output = capsys.readouterr().out
    assert "succeeded" in output
