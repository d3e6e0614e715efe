import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ, the unit of the CPU times in `/proc`. It is 100 on all common platforms. */
const TICKS_PER_SECOND = 100;

export interface ProcessStatus {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
  /** The current folder. */
  readonly folder: string;
  readonly cpuSeconds: number;
  /** CPU of child processes that have exited. */
  readonly childCpuSeconds: number;
}

/** Lists the processes of this machine. Requires Linux, because it reads `/proc`. */
export function listProcesses(): ProcessStatus[] {
  return readdirSync('/proc').flatMap((name): ProcessStatus[] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The second field is the name of the program in parentheses, and may contain spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const getSeconds = (field: number) => Number(fields[field]) / TICKS_PER_SECOND;
      return [
        {
          pid: Number(name),
          parentPid: Number(fields[1]),
          command: readFileSync(`/proc/${name}/cmdline`, 'utf8'),
          folder: readlinkSync(`/proc/${name}/cwd`),
          cpuSeconds: getSeconds(11) + getSeconds(12),
          childCpuSeconds: getSeconds(13) + getSeconds(14),
        },
      ];
    } catch {
      // The process has exited in the meantime, or belongs to a different user.
      return [];
    }
  });
}
