"""The hook, which creates clients from an Airflow connection."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseHook, Connection

from freshet import AsyncFreshet, Freshet, FreshetError


class FreshetHook(BaseHook):
    """Creates clients of the deployment that an Airflow connection describes.

    The connection has the type `freshet`. Its host is the URL of the API, and its password is an
    API token. Without a scheme in the host, the scheme is `https`, or the schema of the connection.

    Args:
        freshet_conn_id: The ID of the connection.
    """

    conn_name_attr = "freshet_conn_id"
    default_conn_name = "freshet_default"
    conn_type = "freshet"
    hook_name = "Freshet"

    def __init__(self, freshet_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.freshet_conn_id = freshet_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Returns the labels of the connection form."""
        return {
            "hidden_fields": ["login", "schema", "extra"],
            "relabeling": {"host": "URL", "password": "API token"},
            "placeholders": {"host": "https://freshet.example.com", "password": "frt_…"},
        }

    def get_conn(self) -> Freshet:
        """Creates a client. Use the client as a context manager, so that it is closed."""
        url, token = _read_connection(self.get_connection(self.freshet_conn_id))
        return Freshet(url, token)

    async def get_async_conn(self) -> AsyncFreshet:
        """Creates an async client. Use the client as a context manager, so that it is closed."""
        url, token = _read_connection(await self.aget_connection(self.freshet_conn_id))
        return AsyncFreshet(url, token)

    def test_connection(self) -> tuple[bool, str]:
        """Tests the URL and the token, for the button in the connection form."""
        try:
            with self.get_conn() as freshet:
                token = freshet.get_current_token()
        except (FreshetError, ValueError) as error:
            return False, str(error)
        return True, f"The token {token.name} with the role {token.role} is valid."


def _read_connection(connection: Connection) -> tuple[str, str]:
    """Returns the URL and the token of a connection."""
    if not connection.host:
        raise ValueError(
            f"The connection {connection.conn_id} has no host. Set the host to the URL of the API."
        )
    host = str(connection.host)
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if connection.port:
        url = f"{url.rstrip('/')}:{connection.port}"
    return url, str(connection.password or "")
