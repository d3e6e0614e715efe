import { catalogue } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { getExpectedRows, getVersions, mergeResults, openSource, readObject } from '../test-support/source.ts';

const lists = catalogue.filter((o) => !['children', 'daily-export'].includes(o.strategy.kind)).map((o) => o.name);

describe('extract', () => {
  test.each(lists)('%s: the first extraction returns every record of every view', async (name) => {
    await using account = await openSource({ counts: { tickets: 1500 } });
    const result = await readObject(account.client, name);
    expect(mergeResults(result)).toEqual(getExpectedRows(account.simulator, name));
    expect(result.pages.at(-1)?.coverage?.completeBackTo.getTime()).toBe(0);
  });

  test.each(lists)(
    '%s: a second extraction of an unchanged account sends at most one request per 100 records (or three for up to 300 records), and changes no row',
    async (name) => {
      await using account = await openSource({ counts: { tickets: 1500 } });
      const first = await readObject(account.client, name);
      const before = account.simulator.requestCount;
      const second = await readObject(account.client, name, { position: first.position });
      const records = getExpectedRows(account.simulator, name).size;
      expect(account.simulator.requestCount - before).toBeLessThanOrEqual(Math.max(3, Math.ceil(records / 100)));
      expect(getVersions(mergeResults(first, second))).toEqual(getVersions(mergeResults(first)));
    },
  );
});
