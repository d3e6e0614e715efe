import { parseArgs } from 'node:util';
import { type CreditBudget, extract, FreshdeskClient, getObject, type Position } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';

/**
 * Measures how many syncs pass until Freshet extracts the edit of a time entry that was created
 * before the lookback window, and how many credits each sync uses. Some random old entries are
 * edited before each sync of the first half. If the next sync extracts an edit, the delay is one
 * sync.
 */
const { values } = parseArgs({
  options: { entries: { type: 'string', default: '300,1000,5000,20000' }, edits: { type: 'string', default: '5' } },
});
const NAME = 'time_entries';
const SPAN_DAYS = 1000;
const LOOKBACK_MS = 30 * 86_400_000;
const unlimited: CreditBudget = { take: async () => {}, learn: async () => {}, block: async () => {} };

console.log('| entries | credits per sync | syncs: median | p95 | maximum |\n| ---: | ---: | ---: | ---: | ---: |');
for (const entries of values.entries.split(',').map(Number)) console.log(await measure(entries, Number(values.edits)));

async function measure(entries: number, editsPerSync: number): Promise<string> {
  const simulator = new FreshdeskSimulator({ seed: 1, counts: { tickets: 10, [NAME]: entries }, spanDays: SPAN_DAYS });
  const client = new FreshdeskClient({
    account: { subdomain: 'bench', origin: await simulator.listen() },
    apiKey: 'demo-admin-key',
    budget: unlimited,
    creditClass: 'incremental',
  });
  const list = simulator.account.getList(getObject(NAME));
  const oldEntries = Array.from({ length: list.length }, (_, n) => n).filter(
    (n) => list.getCreatedAt(n) * 1000 < Date.now() - LOOKBACK_MS,
  );
  let position: Position | null = null;
  /**
   * Edits that have not been extracted: the key of the entry → the number of the sync that followed
   * the edit.
   */
  const pendingEdits = new Map<number, number>();
  const delays: number[] = [];
  const credits: number[] = [];
  // Twice the number of syncs that one rolling reread of the list takes, plus a margin.
  const syncs = 2 * Math.ceil(entries / 87 / 20) + 20;
  for (let sync = 0; sync <= syncs; sync++) {
    for (let n = 0; sync > 0 && sync < syncs / 2 && n < editsPerSync; n++) {
      const key = list.getKey(oldEntries[Math.floor(Math.random() * oldEntries.length)] as number);
      if (pendingEdits.has(key)) continue;
      simulator.account.update(NAME, key, { note: `edited before sync ${sync}` });
      pendingEdits.set(key, sync);
    }
    const before = simulator.requestCount;
    for await (const page of extract(client, getObject(NAME), position, {
      historyFrom: null,
      readingId: `sync ${sync}`,
      fetchUnits: async () => [],
    })) {
      position = page.position;
      for (const line of page.lines) {
        const { record } = JSON.parse(Buffer.concat(line).toString()) as { record?: { id: number; note: string } };
        const editedBefore = record && pendingEdits.get(record.id);
        if (record === undefined || editedBefore === undefined || record.note !== `edited before sync ${editedBefore}`)
          continue;
        delays.push(sync - editedBefore + 1);
        pendingEdits.delete(record.id);
      }
    }
    if (sync > 0) credits.push(simulator.requestCount - before);
  }
  await client.close();
  await simulator.close();
  if (pendingEdits.size > 0) throw new Error(`${pendingEdits.size} edits were not extracted.`);
  delays.sort((a, b) => a - b);
  const getPercentile = (share: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  const mean = credits.reduce((a, b) => a + b, 0) / credits.length;
  return `| ${entries.toLocaleString('en-US')} | ${mean.toFixed(1)} | ${getPercentile(0.5)} | ${getPercentile(0.95)} | ${delays.at(-1)} |`;
}
