import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { uuidv7 } from '../database/ids.ts';
import { Store, type StoreContext } from '../store.ts';

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

const HEARTBEAT_SECONDS = 30;
/** A process is no longer listed after this many hours without a heartbeat. */
const LISTED_HOURS = 1;
const PROCESSES_MAX = 1000;

/**
 * The processes of the deployment. pg-boss has a similar registry, but samples the event loop of
 * each process 50 times per second, which is most of the CPU usage of an idle process.
 */
export class Processes extends Store {
  readonly #onError: (error: Error) => void;
  readonly #id = uuidv7();
  #timer: NodeJS.Timeout | undefined;
  #usage = { cpu: process.cpuUsage(), at: performance.now() };

  /** @param onError receives the errors of failed heartbeats, which are not retried. */
  constructor(context: StoreContext, onError: (error: Error) => void) {
    super(context);
    this.#onError = onError;
  }

  /** Lists the processes that sent a heartbeat within the last hour. */
  async list(): Promise<ProcessInfo[]> {
    return await this.sql<ProcessInfo[]>`
      select id, name, host, pid, started_at, seen_at,
        case when stopped_at is not null then 'stopped'
          when seen_at < now() - make_interval(secs => ${3 * HEARTBEAT_SECONDS}) then 'quiet'
          else 'alive' end as state,
        cpu, memory_bytes
      from freshet.processes where seen_at > now() - make_interval(hours => ${LISTED_HOURS})
      order by name, started_at limit ${PROCESSES_MAX}`;
  }

  /**
   * Registers this process, and sends heartbeats until `unregister` is called.
   * @param name the kind of the process.
   */
  async register(name: string): Promise<void> {
    await this.sql`
      delete from freshet.processes where seen_at < now() - make_interval(hours => ${LISTED_HOURS})`;
    await this.#sendHeartbeat(name);
    this.#timer = setInterval(() => void this.#sendHeartbeat(name).catch(this.#onError), HEARTBEAT_SECONDS * 1000);
    // A timer does not prevent the process from exiting.
    this.#timer.unref();
  }

  /**
   * Marks this process as stopped. If the database does not respond within the timeout, the process
   * will be listed as quiet, because it sends no more heartbeats.
   */
  async unregister(timeoutMs: number): Promise<void> {
    clearInterval(this.#timer);
    const update = this.sql`update freshet.processes set stopped_at = now(), seen_at = now() where id = ${this.#id}`;
    await Promise.race([update.catch(() => {}), sleep(timeoutMs, undefined, { ref: false })]);
  }

  /** Inserts the row again if it is missing, for example after the database was restored. */
  async #sendHeartbeat(name: string): Promise<void> {
    const { cpu, memoryBytes } = this.#measureUsage();
    await this.sql`
      insert into freshet.processes (id, name, host, pid, cpu, memory_bytes)
      values (${this.#id}, ${name}, ${hostname()}, ${process.pid}, ${cpu}, ${memoryBytes})
      on conflict (id) do update set seen_at = now(), cpu = excluded.cpu, memory_bytes = excluded.memory_bytes`;
  }

  /** Measures the CPU cores in use since the last call, and the resident memory. */
  #measureUsage(): { readonly cpu: number; readonly memoryBytes: number } {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.#usage.cpu);
    const cpu = (user + system) / 1000 / Math.max(1, now - this.#usage.at);
    this.#usage = { cpu: process.cpuUsage(), at: now };
    return { cpu, memoryBytes: process.memoryUsage.rss() };
  }
}
