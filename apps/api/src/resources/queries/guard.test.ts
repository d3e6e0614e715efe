import { describe, expect, test } from 'vitest';
import { checkQuery, RejectedQuery } from './guard.ts';
import { HOSTILE_STATEMENTS, LEGITIMATE_STATEMENTS } from './test-support/statements.ts';

const check = (sql: string) => checkQuery(sql, ['freshdesk', 'freshdesk_analytics']);

describe('checkQuery', () => {
  test.each(HOSTILE_STATEMENTS)('rejects %s', async (statement, reason) => {
    const error = await check(statement).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(RejectedQuery);
    expect((error as Error).message).toContain(reason);
  });

  test.each(LEGITIMATE_STATEMENTS)('accepts %s', async (statement) => {
    expect((await check(statement)).sql).not.toBe('');
  });
});
