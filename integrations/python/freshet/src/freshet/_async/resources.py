"""The resources of the API that have only basic operations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

from freshet._async.transport import AsyncTransport
from freshet._http import Body, is_uuid
from freshet._model import FreshetModel
from freshet.errors import NotFoundError
from freshet.models import (
    CatalogObject,
    Credential,
    CredentialUpdate,
    Delivery,
    Destination,
    DestinationInput,
    DestinationTestResult,
    DestinationUpdate,
    FreshdeskApiKeyInput,
    PostgresPasswordInput,
    Webhook,
    WebhookInput,
    WebhookUpdate,
    WebhookWithSecret,
)

M = TypeVar("M", bound=FreshetModel)


class AsyncNamedResource(Generic[M]):
    """A kind of resource that has an ID and a unique name."""

    _path: ClassVar[str]
    _noun: ClassVar[str]
    _model: type[M]

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def _list(self, **filters: Any) -> AsyncIterator[M]:
        return self._transport.paginate(self._model, self._path, {"limit": 200, **filters})

    async def get(self, reference: M | UUID | str) -> M:
        """Returns a resource by its ID or name.

        Raises:
            NotFoundError: No resource has this ID or name.
        """
        id_ = getattr(reference, "id", reference)
        if isinstance(id_, UUID) or is_uuid(str(id_)):
            return await self._transport.fetch(self._model, "GET", f"{self._path}/{id_}")
        async for item in self._list(name=id_):
            return item
        raise NotFoundError(
            404, "not_found", f"No {self._noun} has the name {str(id_)!r}. Check the name."
        )

    async def _find_path(self, reference: M | UUID | str) -> str:
        """Returns the path of a resource. Requests the ID if only the name is known."""
        id_: Any = getattr(reference, "id", reference)
        if not isinstance(id_, UUID) and not is_uuid(str(id_)):
            id_ = getattr(await self.get(reference), "id")  # noqa: B009
        return f"{self._path}/{quote(str(id_), safe='')}"

    async def delete(self, reference: M | UUID | str) -> None:
        """Deletes a resource."""
        await self._transport.send("DELETE", await self._find_path(reference))


class AsyncCredentials(AsyncNamedResource[Credential]):
    """Freshdesk API keys and warehouse passwords. The API never returns the secrets."""

    _path = "/v1/credentials"
    _noun = "credential"
    _model = Credential

    def list(self) -> AsyncIterator[Credential]:
        """Yields the credentials, newest first."""
        return self._list()

    async def create(
        self, credential: FreshdeskApiKeyInput | PostgresPasswordInput | Body
    ) -> Credential:
        """Creates a credential."""
        return await self._transport.fetch(Credential, "POST", self._path, body=credential)

    async def update(
        self, reference: Credential | UUID | str, changes: CredentialUpdate | Body
    ) -> Credential:
        """Updates a credential, for example to replace its secret."""
        path = await self._find_path(reference)
        return await self._transport.fetch(Credential, "PATCH", path, body=changes)


class AsyncDestinations(AsyncNamedResource[Destination]):
    """PostgreSQL warehouses."""

    _path = "/v1/destinations"
    _noun = "destination"
    _model = Destination

    def list(self) -> AsyncIterator[Destination]:
        """Yields the destinations, newest first."""
        return self._list()

    async def create(self, destination: DestinationInput | Body) -> Destination:
        """Creates a destination."""
        return await self._transport.fetch(Destination, "POST", self._path, body=destination)

    async def update(
        self, reference: Destination | UUID | str, changes: DestinationUpdate | Body
    ) -> Destination:
        """Updates a destination."""
        path = await self._find_path(reference)
        return await self._transport.fetch(Destination, "PATCH", path, body=changes)

    async def test(self, reference: Destination | UUID | str) -> DestinationTestResult:
        """Tests the connection and the privileges. The result lists problems and remedies."""
        path = await self._find_path(reference)
        return await self._transport.fetch(DestinationTestResult, "POST", f"{path}/test")


class AsyncWebhooks(AsyncNamedResource[Webhook]):
    """Webhooks, which receive events."""

    _path = "/v1/webhooks"
    _noun = "webhook"
    _model = Webhook

    def list(self) -> AsyncIterator[Webhook]:
        """Yields the webhooks, newest first."""
        return self._list()

    async def create(self, webhook: WebhookInput | Body) -> WebhookWithSecret:
        """Creates a webhook. The API returns the signing secret only in this response."""
        return await self._transport.fetch(WebhookWithSecret, "POST", self._path, body=webhook)

    async def update(
        self, reference: Webhook | UUID | str, changes: WebhookUpdate | Body
    ) -> Webhook:
        """Updates a webhook."""
        path = await self._find_path(reference)
        return await self._transport.fetch(Webhook, "PATCH", path, body=changes)

    async def test(self, reference: Webhook | UUID | str) -> Delivery:
        """Sends a test event."""
        path = await self._find_path(reference)
        return await self._transport.fetch(Delivery, "POST", f"{path}/test")

    async def deliveries(self, reference: Webhook | UUID | str) -> AsyncIterator[Delivery]:
        """Yields the deliveries of the last 30 days, newest first."""
        path = await self._find_path(reference)
        async for delivery in self._transport.paginate(
            Delivery, f"{path}/deliveries", {"limit": 200}
        ):
            yield delivery


class AsyncCatalog:
    """The objects that Freshet can replicate."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def objects(self) -> AsyncIterator[CatalogObject]:
        """Yields the objects, with their columns."""
        return self._transport.paginate(CatalogObject, "/v1/catalog/objects")
