import type { Sql } from '../database/database.ts';

/** A process that works on the queues, as it has last said of itself. */
export interface LivingProcess {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly started_at: Date;
  readonly seen_at: Date;
  /** It has not been heard of for three heartbeats, or has said that it ends. */
  readonly state: 'alive' | 'quiet' | 'stopped';
  /** Cores that it uses, and bytes of memory; null: not known yet. */
  readonly cpu: number | null;
  readonly memory_bytes: number | null;
}

/** Long gone, nobody wants to see it. */
const SHOWN_HOURS = 1;
const PROCESSES_MAX = 1000;

/** Who is alive: every process enters itself in pg-boss' own list, and is heard of every half minute. */
export class Processes {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async list(): Promise<LivingProcess[]> {
    return await this.#sql<LivingProcess[]>`
      select id, coalesce(name, '') as name, host, pid, started_on as started_at, heartbeat_on as seen_at,
        case when stopped_on is not null then 'stopped'
          when heartbeat_on < now() - heartbeat_seconds * 3 * interval '1 second' then 'quiet' else 'alive' end as state,
        (metrics ->> 'cpu')::float8 as cpu, (metrics ->> 'rss')::float8 as memory_bytes
      from pgboss.instance where heartbeat_on > now() - make_interval(hours => ${SHOWN_HOURS}) order by name, started_on limit ${PROCESSES_MAX}`;
  }
}
