import { catalogue } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { getExpectedRows, mergeResults, openSource, readObject, toLineText } from '../test-support/source.ts';

describe('ChildrenStrategy', () => {
  const work = (...ids: number[]) => ids.map((id) => ({ object: 'conversations', parentId: String(id), version: 'v' }));

  test('reads all conversations of a ticket across pages (T12)', async () => {
    await using account = await openSource({ counts: { tickets: 30, conversations: 30 } });
    for (let i = 0; i < 250; i++) account.simulator.account.createChild('conversations', 5, { body: `note ${i}` });
    const result = await readObject(account.client, 'conversations', {
      parents: work(...Array.from({ length: 30 }, (_, i) => i + 1)),
    });
    expect([...mergeResults(result).keys()].sort()).toEqual(
      [...getExpectedRows(account.simulator, 'conversations').keys(), ...listChildrenOfDeletedTickets(account)].sort(),
    );
  });

  /**
   * Lists the conversations of deleted tickets. Freshdesk still returns these conversations, but
   * `getExpectedRows` omits them.
   */
  function listChildrenOfDeletedTickets(account: Awaited<ReturnType<typeof openSource>>): number[] {
    const { account: simulated } = account.simulator;
    const conversations = catalogue.find((o) => o.name === 'conversations');
    if (!conversations) throw new Error('The catalogue has no conversations.');
    return [...getExpectedRows(account.simulator, 'tickets')]
      .filter(([, { deleted }]) => deleted !== null)
      .flatMap(([id]) =>
        (simulated.listChildren(conversations, id) ?? []).map((text) => (JSON.parse(text) as { id: number }).id),
      );
  }

  test('reads the list of a parent’s children only once if the list does not change during the read', async () => {
    await using account = await openSource({ counts: { tickets: 30, conversations: 0 } });
    for (let i = 0; i < 250; i++) account.simulator.account.createChild('conversations', 5, { body: `note ${i}` });
    const result = await readObject(account.client, 'conversations', {
      parents: [{ object: 'conversations', parentId: '5', version: 'v' }],
    });
    expect(result.records).toHaveLength(250);
    expect(account.simulator.requestCount).toBe(3);
  });

  test('reads subfolders at every depth when it reads their category, and schedules the extraction of their articles', async () => {
    await using account = await openSource({ counts: { solution_categories: 2 } });
    const { account: simulated } = account.simulator;
    const categories = [...getExpectedRows(account.simulator, 'solution_categories').keys()];
    const [category] = categories as [number];
    const top = [...getExpectedRows(account.simulator, 'solution_folders')].find(
      ([, { fields }]) => fields['category_id'] === category,
    )?.[0] as number;
    simulated.updateChild('solution_folders', top, { sub_folders_count: 1 });
    const inner = simulated.createChild('solution_folders', category, { parent_folder_id: top, sub_folders_count: 1 });
    const innermost = simulated.createChild('solution_folders', category, {
      parent_folder_id: inner,
      sub_folders_count: 0,
    });
    const parents = categories.map((id) => ({ object: 'solution_folders', parentId: String(id), version: 'v' }));
    const result = await readObject(account.client, 'solution_folders', { parents });
    expect([...mergeResults(result).keys()].sort()).toEqual(
      [...getExpectedRows(account.simulator, 'solution_folders').keys()].sort(),
    );
    expect([...mergeResults(result).keys()]).toEqual(expect.arrayContaining([inner, innermost]));
    expect(result.pages.flatMap((p) => p.childWork.map((w) => w.parentId))).toEqual(
      expect.arrayContaining([String(inner), String(innermost)]),
    );
    // The complete list of the category's folders contains the subfolders at every depth.
    const complete = result.pages
      .flatMap((p) => p.lines.map(toLineText))
      .find((line) => line.includes('"complete"') && line.includes(String(category)));
    expect(complete).toContain(String(innermost));
  });

  test('returns an empty list of children for a deleted parent, and reads the children of the other parents (T8)', async () => {
    await using account = await openSource({ counts: { tickets: 10 } });
    const result = await readObject(account.client, 'conversations', { parents: work(1, 999, 2) });
    expect(
      result.pages
        .flatMap((p) => p.completedUnits)
        .map((s) => s.parentId)
        .sort(),
    ).toEqual(['1', '2', '999']);
    const line = result.pages.flatMap((p) => p.lines.map(toLineText)).find((text) => text.includes('"999"')) as string;
    expect(JSON.parse(line)).toMatchObject({ complete: { where: { ticket_id: '999' }, keys: [], confirmed: true } });
  });

  test('confirms an empty list only when the list is empty again on a later read (I7)', async () => {
    await using account = await openSource({ counts: { tickets: 10, conversations: 0 } });
    const complete = async (needsConfirmation: boolean) => {
      const result = await readObject(account.client, 'conversations', {
        parents: work(1).map((w) => ({ ...w, needsConfirmation })),
      });
      return (JSON.parse(toLineText(result.pages[0]?.lines[0])) as { complete: { keys: unknown[]; confirmed?: true } })
        .complete;
    };
    expect(await complete(false)).not.toHaveProperty('confirmed');
    expect(await complete(true)).toMatchObject({ keys: [], confirmed: true });
  });

  test('reports a parent whose requests fail as a failed unit, and reads the children of the other parents (I7, T25)', async () => {
    await using account = await openSource({
      counts: { tickets: 120 },
      intercept: ({ path }, response) => {
        if (!path.includes('/tickets/7/')) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const { pages } = await readObject(account.client, 'conversations', {
      parents: work(...Array.from({ length: 100 }, (_, i) => i + 1)),
    });
    const settled = pages.flatMap((page) => page.completedUnits.map((s) => s.parentId));
    expect(settled).toHaveLength(99);
    expect(settled).not.toContain('7');
    expect(pages.flatMap((page) => page.failedUnits)).toEqual([
      { object: 'conversations', key: '7', code: 'source_unavailable', message: expect.stringContaining('status 500') },
    ]);
  });

  test.each([
    ['the requests for every parent fail', 60, 60],
    ['all requests fail after the children of 20 parents were read', 60, 40],
  ])('extraction fails and reports no failed units if %s (I7)', async (_title, parents, failing) => {
    await using account = await openSource({
      counts: { tickets: 120 },
      intercept: ({ path }, response) => {
        const id = Number(/tickets\/(\d+)\//.exec(path)?.[1]);
        // During the outage, even requests for parents that were readable before fail.
        if (failing < parents && id <= parents - failing && !isDown) {
          isDown = id === parents - failing;
          return false;
        }
        response.writeHead(500).end();
        return true;
      },
    });
    let isDown = false;
    const failed: unknown[] = [];
    const result = readObject(account.client, 'conversations', {
      parents: work(...Array.from({ length: parents }, (_, i) => i + 1)),
      afterPage: (page) => failed.push(...page.failedUnits),
    });
    await expect(result).rejects.toMatchObject({ code: 'source_unavailable' });
    expect(failed).toEqual([]);
  });
});
