"""The resources of the API that have only basic operations."""

# Generated from `freshet._async` by `integrations/python/generate.py`. Do not edit.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID

from freshet._http import Body, is_uuid
from freshet._model import FreshetModel
from freshet._sync.transport import Transport
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


class NamedResource(Generic[M]):
    """A kind of resource that has an ID and a unique name."""

    _path: ClassVar[str]
    _noun: ClassVar[str]
    _model: type[M]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _list(self, **filters: Any) -> Iterator[M]:
        return self._transport.paginate(self._model, self._path, {"limit": 200, **filters})

    def get(self, reference: M | UUID | str) -> M:
        """Returns a resource by its ID or name.

        Raises:
            NotFoundError: No resource has this ID or name.
        """
        id_ = getattr(reference, "id", reference)
        if isinstance(id_, UUID) or is_uuid(str(id_)):
            return self._transport.fetch(self._model, "GET", f"{self._path}/{id_}")
        for item in self._list(name=id_):
            return item
        raise NotFoundError(
            404, "not_found", f"No {self._noun} has the name {str(id_)!r}. Check the name."
        )

    def _find_path(self, reference: M | UUID | str) -> str:
        """Returns the path of a resource. Requests the ID if only the name is known."""
        id_: Any = getattr(reference, "id", reference)
        if not isinstance(id_, UUID) and not is_uuid(str(id_)):
            id_ = getattr(self.get(reference), "id")  # noqa: B009
        return f"{self._path}/{quote(str(id_), safe='')}"

    def delete(self, reference: M | UUID | str) -> None:
        """Deletes a resource."""
        self._transport.send("DELETE", self._find_path(reference))


class Credentials(NamedResource[Credential]):
    """Freshdesk API keys and warehouse passwords. The API never returns the secrets."""

    _path = "/v1/credentials"
    _noun = "credential"
    _model = Credential

    def list(self) -> Iterator[Credential]:
        """Yields the credentials, newest first."""
        return self._list()

    def create(self, credential: FreshdeskApiKeyInput | PostgresPasswordInput | Body) -> Credential:
        """Creates a credential."""
        return self._transport.fetch(Credential, "POST", self._path, body=credential)

    def update(
        self, reference: Credential | UUID | str, changes: CredentialUpdate | Body
    ) -> Credential:
        """Updates a credential, for example to replace its secret."""
        path = self._find_path(reference)
        return self._transport.fetch(Credential, "PATCH", path, body=changes)


class Destinations(NamedResource[Destination]):
    """PostgreSQL warehouses."""

    _path = "/v1/destinations"
    _noun = "destination"
    _model = Destination

    def list(self) -> Iterator[Destination]:
        """Yields the destinations, newest first."""
        return self._list()

    def create(self, destination: DestinationInput | Body) -> Destination:
        """Creates a destination."""
        return self._transport.fetch(Destination, "POST", self._path, body=destination)

    def update(
        self, reference: Destination | UUID | str, changes: DestinationUpdate | Body
    ) -> Destination:
        """Updates a destination."""
        path = self._find_path(reference)
        return self._transport.fetch(Destination, "PATCH", path, body=changes)

    def test(self, reference: Destination | UUID | str) -> DestinationTestResult:
        """Tests the connection and the privileges. The result lists problems and remedies."""
        path = self._find_path(reference)
        return self._transport.fetch(DestinationTestResult, "POST", f"{path}/test")


class Webhooks(NamedResource[Webhook]):
    """Webhooks, which receive events."""

    _path = "/v1/webhooks"
    _noun = "webhook"
    _model = Webhook

    def list(self) -> Iterator[Webhook]:
        """Yields the webhooks, newest first."""
        return self._list()

    def create(self, webhook: WebhookInput | Body) -> WebhookWithSecret:
        """Creates a webhook. The API returns the signing secret only in this response."""
        return self._transport.fetch(WebhookWithSecret, "POST", self._path, body=webhook)

    def update(self, reference: Webhook | UUID | str, changes: WebhookUpdate | Body) -> Webhook:
        """Updates a webhook."""
        path = self._find_path(reference)
        return self._transport.fetch(Webhook, "PATCH", path, body=changes)

    def test(self, reference: Webhook | UUID | str) -> Delivery:
        """Sends a test event."""
        path = self._find_path(reference)
        return self._transport.fetch(Delivery, "POST", f"{path}/test")

    def deliveries(self, reference: Webhook | UUID | str) -> Iterator[Delivery]:
        """Yields the deliveries of the last 30 days, newest first."""
        path = self._find_path(reference)
        for delivery in self._transport.paginate(Delivery, f"{path}/deliveries", {"limit": 200}):
            yield delivery


class Catalog:
    """The objects that Freshet can replicate."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def objects(self) -> Iterator[CatalogObject]:
        """Yields the objects, with their columns."""
        return self._transport.paginate(CatalogObject, "/v1/catalog/objects")
