import { parseArgs } from 'node:util';
import { type Budget, extract, FreshdeskClient, objectNamed, type Position } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';

/**
 * After how many syncs an edit of a time entry is read that is older than the lookback window, and how many credits each
 * sync spends on it. Before each sync some random old entries are edited; a sync counts as the first if it reads the edit.
 */
const { values } = parseArgs({
  options: { entries: { type: 'string', default: '300,1000,5000,20000' }, edits: { type: 'string', default: '5' } },
});
const NAME = 'time_entries';
const SPAN_DAYS = 1000;
const LOOKBACK_MS = 30 * 86_400_000;
const unlimited: Budget = { take: async () => {}, learn: async () => {}, block: async () => {} };

console.log('| entries | credits a sync | syncs: median | 95 % | most |\n| ---: | ---: | ---: | ---: | ---: |');
for (const entries of values.entries.split(',').map(Number)) console.log(await measure(entries, Number(values.edits)));

async function measure(entries: number, editsPerSync: number): Promise<string> {
  const simulator = new FreshdeskSimulator({ seed: 1, counts: { tickets: 10, [NAME]: entries }, spanDays: SPAN_DAYS });
  const client = new FreshdeskClient({
    account: { subdomain: 'bench', origin: await simulator.listen() },
    apiKey: 'demo-admin-key',
    budget: unlimited,
    creditClass: 'incremental',
  });
  const list = simulator.account.listOf(objectNamed(NAME));
  const old = Array.from({ length: list.length }, (_, n) => n).filter(
    (n) => list.createdAt(n) * 1000 < Date.now() - LOOKBACK_MS,
  );
  let position: Position | null = null;
  /** Key → the sync before which it was edited. */
  const waiting = new Map<number, number>();
  const delays: number[] = [];
  const credits: number[] = [];
  // Twice as many syncs as the longest list takes for one rolling reading.
  const syncs = 2 * Math.ceil(entries / 87 / 20) + 20;
  for (let sync = 0; sync <= syncs; sync++) {
    for (let n = 0; sync > 0 && sync < syncs / 2 && n < editsPerSync; n++) {
      const key = list.keyOf(old[Math.floor(Math.random() * old.length)] as number);
      if (waiting.has(key)) continue;
      simulator.account.update(NAME, key, { note: `edited before sync ${sync}` });
      waiting.set(key, sync);
    }
    const before = simulator.callCount;
    for await (const page of extract(client, objectNamed(NAME), position, {
      historyFrom: null,
      readingId: `sync ${sync}`,
      nextParents: async () => [],
    })) {
      position = page.position;
      for (const line of page.lines) {
        const { record } = JSON.parse(Buffer.concat(line).toString()) as { record?: { id: number; note: string } };
        const editedBefore = record && waiting.get(record.id);
        if (record === undefined || editedBefore === undefined || record.note !== `edited before sync ${editedBefore}`)
          continue;
        delays.push(sync - editedBefore + 1);
        waiting.delete(record.id);
      }
    }
    if (sync > 0) credits.push(simulator.callCount - before);
  }
  await client.close();
  await simulator.close();
  if (waiting.size > 0) throw new Error(`${waiting.size} edits were never read.`);
  delays.sort((a, b) => a - b);
  const at = (share: number) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  const mean = credits.reduce((a, b) => a + b, 0) / credits.length;
  return `| ${entries.toLocaleString('en-US')} | ${mean.toFixed(1)} | ${at(0.5)} | ${at(0.95)} | ${delays.at(-1)} |`;
}
