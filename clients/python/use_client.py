"""Uses the API through the client that openapi-python-client generated. Exits with status 0 only if every check passes."""

import os
import uuid
from urllib.parse import urlparse

from freshet_client import AuthenticatedClient
from freshet_client.api.credentials import create_credential, list_credentials
from freshet_client.api.destinations import create_destination, get_destination, test_destination
from freshet_client.api.pipelines import create_pipeline, get_pipeline, update_pipeline
from freshet_client.api.runs import get_run, start_run
from freshet_client.models import (
    DestinationInput,
    DestinationInputSslMode,
    DestinationInputType,
    FreshdeskApiKeyInput,
    FreshdeskApiKeyInputType,
    ObjectSettings,
    PipelineInput,
    PipelineInputObjects,
    PipelineSourceInput,
    PipelineSourceInputType,
    PipelineUpdate,
    PostgresPasswordInput,
    PostgresPasswordInputType,
    Problem,
    RunInput,
)

warehouse = urlparse(os.environ["WAREHOUSE_URL"])
client = AuthenticatedClient(base_url=os.environ["FRESHET_URL"], token=os.environ["FRESHET_TOKEN"], timeout=90, raise_on_unexpected_status=True)
name = "python"


def build_key_input(key_name: str) -> FreshdeskApiKeyInput:
    return FreshdeskApiKeyInput(name=key_name, type_=FreshdeskApiKeyInputType.FRESHDESK_API_KEY, api_key="demo-admin-key")


idempotency_key = str(uuid.uuid4())
key = create_credential.sync(client=client, body=build_key_input(name), idempotency_key=idempotency_key)
repeated = create_credential.sync(client=client, body=build_key_input(name), idempotency_key=idempotency_key)
assert key == repeated, "the same idempotency key returned a different response"
password = create_credential.sync(
    client=client,
    body=PostgresPasswordInput(name=f"{name} password", type_=PostgresPasswordInputType.POSTGRES_PASSWORD, password=warehouse.password),
)
destination = create_destination.sync(
    client=client,
    body=DestinationInput(
        name=name,
        type_=DestinationInputType.POSTGRES,
        host=warehouse.hostname,
        port=warehouse.port,
        database=warehouse.path[1:],
        username=warehouse.username,
        credential_id=password.id,
        ssl_mode=DestinationInputSslMode.DISABLE,
    ),
)
assert get_destination.sync(destination.id, client=client) == destination
assert destination.ssl_ca is None
assert test_destination.sync(destination.id, client=client).usable

objects = PipelineInputObjects()
objects["conversations"] = ObjectSettings(included=False)
pipeline = create_pipeline.sync(
    client=client,
    body=PipelineInput(
        name=name,
        source=PipelineSourceInput(type_=PipelineSourceInputType.FRESHDESK, subdomain="demo", credential_id=key.id, historical_sync_days=None),
        destination_id=destination.id,
        destination_schema="python",
        objects=objects,
        audit_frequency_days=None,
    ),
)
read = get_pipeline.sync(pipeline.id, client=client)
# A scheduler may have started the first run in the meantime.
assert {**read.to_dict(), "next_run_at": None} == {**pipeline.to_dict(), "next_run_at": None}
assert read.source.historical_sync_days is None and read.audit_frequency_days is None
assert read.objects["conversations"].included is False

run = start_run.sync(pipeline.id, client=client, body=RunInput())
while run.finished_at is None:
    run = get_run.sync(run.id, client=client, wait=30)
assert run.status == "succeeded", run.to_dict()

seen_ids, cursor = [], None
while True:
    page = list_credentials.sync(client=client, limit=1, **({} if cursor is None else {"cursor": cursor}))
    seen_ids += [credential.id for credential in page.data]
    cursor = page.next_cursor
    if cursor is None:
        break
assert len(seen_ids) == len(set(seen_ids)) and {key.id, password.id} <= set(seen_ids)

duplicate = create_credential.sync(client=client, body=build_key_input(name))
assert isinstance(duplicate, Problem) and duplicate.status == 409 and duplicate.errors[0].pointer == "/name"
missing = get_run.sync(uuid.uuid4(), client=client)
assert isinstance(missing, Problem) and missing.code == "not_found"
invalid = create_credential.sync(client=client, body=build_key_input(""))
assert isinstance(invalid, Problem) and invalid.status == 400
reused = create_credential.sync(client=client, body=build_key_input("other"), idempotency_key=idempotency_key)
assert isinstance(reused, Problem) and reused.code == "idempotency_key_reused"
outdated = update_pipeline.sync(pipeline.id, client=client, body=PipelineUpdate(frequency_minutes=60), if_match='"999"')
assert isinstance(outdated, Problem) and outdated.status == 412
unauthenticated = get_run.sync(run.id, client=AuthenticatedClient(base_url=os.environ["FRESHET_URL"], token="frt_unknown"))
assert isinstance(unauthenticated, Problem) and unauthenticated.status == 401
print("The Python client passed all checks.")
