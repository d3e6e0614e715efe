import type { DeadJob as StoredDeadJob } from '@freshet/control-store';

export function toDeadJobJson(job: StoredDeadJob) {
  return { ...job, died_at: job.died_at.toISOString() };
}
