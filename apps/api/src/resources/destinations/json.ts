import type { Destination as StoredDestination } from '@freshet/control-store';

export function toDestinationJson(destination: StoredDestination) {
  return {
    id: destination.id,
    name: destination.name,
    type: destination.type,
    host: destination.host,
    port: destination.port,
    database: destination.database,
    username: destination.username,
    credential_id: destination.credential_id,
    ssl_mode: destination.ssl_mode,
    ssl_ca: destination.ssl_ca,
    created_at: destination.created_at.toISOString(),
    updated_at: destination.updated_at.toISOString(),
  };
}
