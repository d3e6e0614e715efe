import type { ObjectRun, Run } from '@freshet/control-store';
import { estimateTypicalCredits } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { estimateRun, getObjectProgress } from './progress.ts';

const NOW = new Date('2026-01-01T01:00:00Z');

const objectRun = (parts: Partial<ObjectRun>) =>
  ({
    object: 'groups',
    status: 'running',
    mode: 'full',
    progress: null,
    credits_used: 0,
    finished_at: null,
    ...parts,
  }) as ObjectRun;

const run = (objects: readonly ObjectRun[], parts: Partial<Run> = {}) =>
  ({
    status: 'running',
    started_at: new Date(NOW.getTime() - 600_000),
    finished_at: null,
    credits_per_minute: null,
    objects,
    ...parts,
  }) as Run;

describe('getObjectProgress', () => {
  test('returns 1 only for an object run that succeeded completely or partially', () => {
    expect(getObjectProgress(objectRun({ status: 'succeeded', progress: 0.99 }))).toBe(1);
    expect(getObjectProgress(objectRun({ status: 'partial', progress: 0.99 }))).toBe(1);
    expect(getObjectProgress(objectRun({ status: 'failed', progress: 0.4 }))).toBe(0.4);
  });

  test('returns the loaded share of the records of a replay, and less than 1 before the replay finishes', () => {
    const replay = {
      mode: 'replay',
      records_inserted: 1,
      records_updated: 2,
      records_unchanged: 3,
      records_rejected: 4,
    } as const;
    expect(getObjectProgress(objectRun({ ...replay, records_extracted: 40 }))).toBe(0.25);
    expect(getObjectProgress(objectRun({ ...replay, records_extracted: 10 }))).toBe(0.99);
  });
});

describe('estimateRun', () => {
  test('returns null if no object has reported its progress', () => {
    expect(estimateRun(run([objectRun({}), objectRun({ object: 'roles' })]), NOW)).toEqual({
      progress: null,
      estimatedFinishedAt: null,
    });
  });

  test('weights objects by the credits that they usually cost', () => {
    const { progress } = estimateRun(
      run([objectRun({ object: 'groups', progress: 0.9 }), objectRun({ object: 'conversations', progress: 0.1 })]),
      NOW,
    );
    const [light, heavy] = [estimateTypicalCredits('groups'), estimateTypicalCredits('conversations')];
    expect(heavy).toBeGreaterThan(100 * light);
    expect(progress).toBeCloseTo((0.9 * light + 0.1 * heavy) / (light + heavy));
  });

  test('counts a failed object as done, but returns less than 1 until the run finishes', () => {
    const { progress } = estimateRun(
      run([
        objectRun({ status: 'failed', finished_at: NOW }),
        objectRun({ object: 'roles', status: 'succeeded', finished_at: NOW }),
      ]),
      NOW,
    );
    expect(progress).toBe(0.99);
  });

  test('estimates the end from the remaining credits and the rate of the run so far', () => {
    // The run has used 100 credits in ten minutes. It still needs 300 credits.
    const { estimatedFinishedAt } = estimateRun(run([objectRun({ progress: 0.25, credits_used: 100 })]), NOW);
    expect(estimatedFinishedAt).toEqual(new Date(NOW.getTime() + 30 * 60_000));
  });

  test('estimates the end from the rate limit of the account if the run has been faster than the limit', () => {
    const { estimatedFinishedAt } = estimateRun(
      run([objectRun({ progress: 0.25, credits_used: 100 })], { credits_per_minute: 5 }),
      NOW,
    );
    expect(estimatedFinishedAt).toEqual(new Date(NOW.getTime() + 60 * 60_000));
  });

  test('returns no estimated end for a run that has finished', () => {
    const ended = run([objectRun({ status: 'succeeded', finished_at: NOW })], {
      status: 'succeeded',
      finished_at: NOW,
    });
    expect(estimateRun(ended, NOW)).toEqual({ progress: 1, estimatedFinishedAt: null });
  });
});
