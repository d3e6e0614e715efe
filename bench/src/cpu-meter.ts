import { listProcesses } from './processes.ts';

const SAMPLE_INTERVAL_MS = 100;

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
    const processes = listProcesses();
    const members = new Set([this.#root]);
    for (let hasGrown = true; hasGrown; ) {
      hasGrown = false;
      for (const { pid, parentPid, folder } of processes) {
        if (members.has(pid) || !(members.has(parentPid) || folder.startsWith(this.#folder))) continue;
        members.add(pid);
        hasGrown = true;
      }
    }
    for (const { pid, cpuSeconds } of processes) if (members.has(pid)) this.#seconds.set(pid, cpuSeconds);
  }
}
