import { Store } from '../store.ts';

/** A process that works on the queues, as of its last heartbeat. */
export interface ProcessInfo {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly started_at: Date;
  readonly seen_at: Date;
  /** `quiet`: three heartbeats are missing. `stopped`: the process has shut down. */
  readonly state: 'alive' | 'quiet' | 'stopped';
  /** The number of CPU cores in use. Null: unknown. */
  readonly cpu: number | null;
  /** The resident memory, in bytes. Null: unknown. */
  readonly memory_bytes: number | null;
}

/** A process is no longer listed after this many hours without a heartbeat. */
const LISTED_HOURS = 1;
const PROCESSES_MAX = 1000;

/**
 * The processes of the deployment. Each process registers with pg-boss, and sends a heartbeat every
 * 30 seconds.
 */
export class Processes extends Store {
  async list(): Promise<ProcessInfo[]> {
    return await this.sql<ProcessInfo[]>`
      select id, coalesce(name, '') as name, host, pid, started_on as started_at, heartbeat_on as seen_at,
        case when stopped_on is not null then 'stopped'
          when heartbeat_on < now() - heartbeat_seconds * 3 * interval '1 second' then 'quiet'
          else 'alive' end as state,
        (metrics ->> 'cpu')::float8 as cpu, (metrics ->> 'rss')::float8 as memory_bytes
      from pgboss.instance where heartbeat_on > now() - make_interval(hours => ${LISTED_HOURS})
      order by name, started_on limit ${PROCESSES_MAX}`;
  }
}
