import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { zstdCompressSync } from 'node:zlib';
import { objectNamed, tableOf } from '@freshet/freshdesk-extractor';
import { type BatchToLoad, type Prepared, prepare, Warehouse } from '@freshet/warehouse-loader';
import pg from 'pg';

/** One load of a file's records, in a process of its own, so that what it uses can be counted: by Freshet's loader, or by plain INSERTs of many rows. */
const { MODE, FILE, WAREHOUSE } = process.env as Record<'MODE' | 'FILE' | 'WAREHOUSE', string>;
const table = tableOf(objectNamed('tickets'));
const lines = createInterface({ input: createReadStream(FILE), crlfDelay: Number.POSITIVE_INFINITY });
if (MODE === 'freshet') await freshet();
else await insert();
const { user, system } = process.cpuUsage();
console.error(`CPU ${(user + system) / 1e6}`);

async function freshet(): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(WAREHOUSE);
  const warehouse = new Warehouse({
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    username,
    password,
    sslMode: 'disable',
  });
  const load = (prepared: Prepared) =>
    warehouse.load({
      schema: 'freshet_peer',
      tablePrefix: '',
      table,
      below: [],
      epoch: 1,
      policy: 'evolve',
      history: false,
      restartedAt: null,
      prepared,
      generation: async function* () {},
    });
  let bytes = 0;
  let some: string[] = [];
  let batches: BatchToLoad[] = [];
  let loading: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    const prepared = await prepare(batches, table);
    batches = [];
    await loading;
    loading = load(prepared);
  };
  for await (const line of lines) {
    some.push(`{"record":${line}}`);
    bytes += line.length;
    if (bytes < 2 * 1024 * 1024) continue;
    // As the extract worker stores them.
    batches.push(batchOf(some));
    some = [];
    bytes = 0;
    if (batches.length === 4) await flush();
  }
  batches.push(batchOf(some));
  await flush();
  await loading;
  await warehouse.close();
}

/** What one writes who knows PostgreSQL and wants no tool: 500 rows a statement, typed, upserted by the key. */
async function insert(): Promise<void> {
  const client = new pg.Client(WAREHOUSE);
  await client.connect();
  const names = table.columns.map((c) => `"${c.name}"`);
  await client.query(
    `create schema if not exists insert_peer; create table if not exists insert_peer.tickets (${table.columns.map((c) => `"${c.name}" ${c.type}`).join(', ')}, primary key (id))`,
  );
  const sets = names.filter((n) => n !== '"id"').map((n) => `${n} = excluded.${n}`);
  let rows: unknown[][] = [];
  const flush = async () => {
    if (rows.length === 0) return;
    const places = rows.map((row, r) => `(${row.map((_, c) => `$${r * row.length + c + 1}`).join(', ')})`);
    await client.query(
      `insert into insert_peer.tickets (${names.join(', ')}) values ${places.join(', ')} on conflict (id) do update set ${sets.join(', ')}`,
      rows.flat(),
    );
    rows = [];
  };
  for await (const line of lines) {
    const record = JSON.parse(line) as Record<string, unknown>;
    rows.push(
      table.columns.map((c) =>
        c.type === 'jsonb' && record[c.name] !== undefined ? JSON.stringify(record[c.name]) : (record[c.name] ?? null),
      ),
    );
    if (rows.length === 500) await flush();
  }
  await flush();
  await client.end();
}

function batchOf(lines: readonly string[]): BatchToLoad {
  const raw = Buffer.from(lines.join('\n'));
  return {
    id: randomUUID(),
    extractedAt: new Date(),
    audit: false,
    rewrite: false,
    body: zstdCompressSync(raw),
    rawBytes: raw.length,
  };
}
