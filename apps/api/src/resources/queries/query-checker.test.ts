import { afterAll, expect, test } from 'vitest';
import { RejectedQuery } from './guard.ts';
import { QueryChecker } from './query-checker.ts';

const checker = new QueryChecker();
afterAll(() => checker.close());

test('checks queries in the order of the calls, and returns results and rejections', async () => {
  const results = await Promise.allSettled([
    checker.check('select id from tickets', ['acme']),
    checker.check('drop table tickets', ['acme']),
    checker.check('select 2', ['acme']),
  ]);
  expect(results).toMatchObject([
    { status: 'fulfilled', value: { pattern: 'select id from tickets', tables: [{ schema: null, name: 'tickets' }] } },
    { status: 'rejected', reason: expect.any(RejectedQuery) },
    { status: 'fulfilled', value: { pattern: 'select ?' } },
  ]);
});

test('stops a check that exceeds its time limit, and checks the next query', async () => {
  const impatient = new QueryChecker(1);
  const long = `select ${'a and '.repeat(3000)} a`;
  await expect(impatient.check(long, [])).rejects.toThrow('too long to parse');
  await expect(impatient.check(long, [])).rejects.toThrow(RejectedQuery);
  await impatient.close();
  expect((await checker.check('select 1', [])).tables).toEqual([]);
});
