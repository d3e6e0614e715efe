import { AppError } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { decideFailureAction } from './slice-failure.ts';

const unavailable = new AppError('source_unavailable', 'Freshdesk responded with status 500.');

describe('decideFailureAction', () => {
  test('abandons an object run whose lease is lost (I8)', () => {
    expect(decideFailureAction(new AppError('fenced', 'lost'), 0)).toEqual({ kind: 'abandon' });
  });

  test('waits for credits for as long as the error specifies', () => {
    const error = new AppError('out_of_credits', 'none left', { retryAfterMs: 12_000 });
    expect(decideFailureAction(error, 0)).toEqual({ kind: 'wait_for_credits', afterMs: 12_000 });
  });

  test('requeues a slice that a shutdown has interrupted', () => {
    expect(decideFailureAction(new AppError('interrupted', 'shutdown'), 5)).toEqual({ kind: 'requeue' });
  });

  test('retries a temporary failure with an exponential backoff of at most one minute', () => {
    const delays = [0, 1, 2, 5, 6, 7].map((failures) => decideFailureAction(unavailable, failures));
    expect(delays).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000].map((afterMs) => ({ kind: 'retry', afterMs })));
  });

  test('stops an object run after nine consecutive failures', () => {
    expect(decideFailureAction(unavailable, 7)).toMatchObject({ kind: 'retry' });
    expect(decideFailureAction(unavailable, 8)).toEqual({ kind: 'stop', status: 'failed' });
  });

  test('stops an object run with the matching status if the API key cannot access the object (I7)', () => {
    const forbidden = new AppError('source_forbidden', 'no access');
    expect(decideFailureAction(forbidden, 0)).toEqual({ kind: 'stop', status: 'forbidden' });
    const notInPlan = new AppError('source_not_in_plan', 'not in the plan');
    expect(decideFailureAction(notInPlan, 0)).toEqual({ kind: 'stop', status: 'not_in_plan' });
  });
});
