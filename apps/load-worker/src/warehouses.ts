import type { ControlStore } from '@freshet/control-store';
import type { Outbound } from '@freshet/runtime';
import { Warehouse } from '@freshet/warehouse-loader';

/** Pools kept open; the one used longest ago is closed for a further one. */
const POOLS_MAX = 20;

interface Opened {
  readonly fingerprint: string;
  readonly warehouse: Warehouse;
}

/** Warehouses by destination, opened when needed, and anew when a destination or its password has changed. */
export class Warehouses {
  readonly #store: ControlStore;
  readonly #connections: number;
  readonly #reach: Outbound;
  readonly #opened = new Map<string, Opened>();

  constructor(store: ControlStore, connections: number, reach: Outbound) {
    this.#store = store;
    this.#connections = connections;
    this.#reach = reach;
  }

  async open(destinationId: string): Promise<Warehouse> {
    const destination = await this.#store.destinations.get(destinationId);
    const credential = await this.#store.credentials.get(destination.credential_id);
    const fingerprint = `${destination.version}/${credential.id}/${credential.version}`;
    const known = this.#opened.get(destinationId);
    this.#opened.delete(destinationId);
    if (known?.fingerprint === fingerprint) {
      this.#opened.set(destinationId, known);
      return known.warehouse;
    }
    // In use or not, its pool ends when its connections are given back.
    if (known) void known.warehouse.close();
    const warehouse = new Warehouse(
      {
        host: destination.host,
        port: destination.port,
        database: destination.database,
        username: destination.username,
        password: await this.#store.credentials.reveal(credential.id, 'postgres_password'),
        sslMode: destination.ssl_mode,
        sslCa: destination.ssl_ca,
      },
      this.#connections,
      this.#reach,
    );
    this.#opened.set(destinationId, { fingerprint, warehouse });
    const oldest = this.#opened.entries().next().value;
    if (this.#opened.size > POOLS_MAX && oldest) {
      this.#opened.delete(oldest[0]);
      void oldest[1].warehouse.close();
    }
    return warehouse;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(({ warehouse }) => warehouse.close()));
  }
}
