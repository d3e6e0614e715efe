import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCaseWarehouse } from '../test-support/case-warehouse.ts';
import type { TestWarehouse } from '../test-support/warehouse.ts';
import type { HandCase } from './case.ts';
import { HAND_CASES } from './index.ts';

const ALL_CASES = HAND_CASES.flatMap(({ cases }) => cases);
const ACCOUNTS = ['stats', 'activities', 'history'] as const;

let database: TestDatabase;
const warehouses = new Map<HandCase['account'], TestWarehouse>();

const listCases = (account: HandCase['account']) => ALL_CASES.filter((handCase) => handCase.account === account);

beforeAll(async () => {
  database = await createDatabase();
  for (const account of ACCOUNTS)
    warehouses.set(account, await buildCaseWarehouse(database.sql, account, listCases(account)));
});
afterAll(() => database[Symbol.asyncDispose]());

/** Converts values of the driver and of cases to the same form. */
function toComparable(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value)) return new Date(value).toISOString();
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  return value;
}

/** Returns the values of a row in the columns that are expected. */
function pick(row: Readonly<Record<string, unknown>> | undefined, expected: object): Record<string, unknown> {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, toComparable(row?.[name])]));
}

const normalize = (values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toComparable(value)]));

describe.each(HAND_CASES)('hand-calculated cases: $topic', ({ cases }) => {
  test.each(cases)('$title', async (handCase) => {
    const warehouse = warehouses.get(handCase.account) as TestWarehouse;
    const id = listCases(handCase.account).indexOf(handCase) + 1;
    const read = (model: string, order: string) =>
      warehouse.query(`select * from ${warehouse.model(model)} where ticket_id = ${id} order by ${order}`);
    const { metrics, responses, periods, targets } = handCase.expected;
    if (metrics) expect(pick((await read('ticket_metrics', '1'))[0], metrics)).toEqual(normalize(metrics));
    if (responses) {
      const rows = await read('responses', 'responded_at, response_id');
      expect(rows.map((row, n) => pick(row, responses[n] ?? {}))).toEqual(responses.map(normalize));
    }
    if (periods) {
      const rows = await read('ticket_status_periods', 'period');
      expect(rows.map((row, n) => pick(row, periods[n] ?? {}))).toEqual(periods.map(normalize));
    }
    for (const [kind, values] of Object.entries(targets ?? {})) {
      const row = (await read('sla_targets', 'kind')).find((target) => target['kind'] === kind);
      expect(pick(row, values)).toEqual(normalize(values));
    }
  });
});
