import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ, the unit of the CPU times in `/proc`. It is 100 on all common platforms. */
const TICKS_PER_SECOND = 100;
const SAMPLE_INTERVAL_MS = 20;

/**
 * Adds up the CPU time of a process, its descendants, and the PostgreSQL of a data folder. Requires
 * Linux.
 */
export class CpuMeter {
  readonly #root: number;
  readonly #folder: string;
  /** Process id → CPU time in seconds, as of the last sample in which the process existed. */
  readonly #seconds = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(root: number, folder: string) {
    this.#root = root;
    this.#folder = folder;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
  }

  /** @returns the CPU time in seconds. */
  stop(): number {
    clearInterval(this.#timer);
    return [...this.#seconds.values()].reduce((sum, n) => sum + n, 0);
  }

  #sample(): void {
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(readProcess);
    const members = new Set([this.#root]);
    for (let hasGrown = true; hasGrown; ) {
      hasGrown = false;
      for (const { pid, parent, folder } of processes) {
        if (members.has(pid) || !(members.has(parent) || folder.startsWith(this.#folder))) continue;
        members.add(pid);
        hasGrown = true;
      }
    }
    for (const { pid, seconds } of processes) if (members.has(pid)) this.#seconds.set(pid, seconds);
  }
}

function readProcess(name: string): { pid: number; parent: number; seconds: number; folder: string }[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [
      {
        pid: Number(name),
        parent: Number(fields[1]),
        seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
        folder: readlinkSync(`/proc/${name}/cwd`),
      },
    ];
  } catch {
    // The process exited in the meantime.
    return [];
  }
}
