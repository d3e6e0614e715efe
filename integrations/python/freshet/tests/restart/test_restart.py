"""A test that restarts the API. No other test may use the deployment at the same time."""

import os
import signal
from pathlib import Path

from deployment_fixtures import CreatePipeline

from freshet import Freshet
from freshet.models import Pipeline, Run


def test_a_wait_continues_when_the_api_restarts(
    freshet: Freshet, create_pipeline: CreatePipeline
) -> None:
    pipeline = create_pipeline("restart")
    freshet.pipelines.run(pipeline, wait=True)
    freshet.pipelines.pause(pipeline)
    run = freshet.pipelines.run(pipeline)
    resumed: list[Pipeline] = []

    def restart_api(_: Run) -> None:
        if resumed:
            return
        processes = freshet.request("GET", "/v1/system")["processes"]
        for pid in [item["pid"] for item in processes if item["name"] == "api"]:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
        resumed.append(freshet.pipelines.resume(pipeline))

    finished = freshet.runs.wait(run, timeout=120, on_progress=restart_api)
    assert (finished.id, finished.status, len(resumed)) == (run.id, "succeeded", 1)
