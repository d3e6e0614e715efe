import { parseArgs } from 'node:util';
import { refreshAnalytics } from '@freshet/analytics';
import postgres from 'postgres';
import { changeTickets, generateWarehouse, SCHEMA } from './analytics-warehouse.ts';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures the models of the analytics schema on generated tables: the first build, a refresh
 * without changes, a refresh after changes of 100 tickets, a complete rebuild, and queries. Each
 * figure is printed with the time of a plain query on the same tables, which any implementation
 * needs at least, and with the ratio.
 */
const { values } = parseArgs({
  options: {
    tickets: { type: 'string', default: '1000000' },
    changes: { type: 'string', default: '100' },
    /** The URL of an existing database, whose schema `bench` is replaced. */
    url: { type: 'string' },
  },
});
const TICKETS = Number(values.tickets);
const TARGET = { schema: SCHEMA, tablePrefix: '', timeZone: null };
const MODELS = `${SCHEMA}_analytics`;

await using deployment = values.url === undefined ? await BenchDeployment.start('http://127.0.0.1:1') : null;
const sql = postgres(values.url ?? (deployment as BenchDeployment).warehouseUrl, { max: 2, onnotice: () => {} });

async function measure(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The median time of several executions of a query. */
async function measureQuery(query: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 5; n++) times.push(await measure(() => sql.unsafe(query)));
  return times.sort((a, b) => a - b)[2] as number;
}

const print = (label: string, seconds: number, baselineLabel: string, baseline: number) =>
  console.log(
    `${label.padEnd(46)}${seconds.toFixed(3).padStart(9)} s   ${baselineLabel.padEnd(46)}${baseline.toFixed(3).padStart(9)} s${(seconds / baseline).toFixed(1).padStart(8)}`,
  );

console.log(`Generating ${TICKETS.toLocaleString('en-US')} tickets …`);
await generateWarehouse(sql, TICKETS);
const [counts] = await sql.unsafe<{ conversations: string; bytes: string }[]>(
  `select count(*) as conversations, pg_size_pretty(pg_total_relation_size('${SCHEMA}.tickets') + pg_total_relation_size('${SCHEMA}.conversations')) as bytes from ${SCHEMA}.conversations`,
);
console.log(
  `${Number(counts?.conversations).toLocaleString('en-US')} conversations, ${counts?.bytes} in both tables\n`,
);

// Each implementation must at least read both tables and aggregate the messages of each ticket.
const scan = await measure(() =>
  sql.unsafe(
    `select count(*), max(t.stats ->> 'resolved_at') from ${SCHEMA}.tickets t;
     select count(*), max(c.created_at) from ${SCHEMA}.conversations c where c.incoming;`,
  ),
);
const aggregate = await measure(() =>
  sql.unsafe(
    `create temp table floor as
     select c.ticket_id, count(*), min(c.created_at) filter (where not c.incoming) as first_response
     from ${SCHEMA}.conversations c group by c.ticket_id`,
  ),
);
const floor = scan + aggregate;

let result = '';
const refresh = async () => {
  const { kind, tickets } = await refreshAnalytics(sql, TARGET);
  result = `${kind}, ${tickets} tickets`;
};
const build = await measure(refresh);
print(`first build (${result})`, build, 'read both tables, aggregate messages by ticket', floor);
const unchanged = await measure(refresh);
print(`refresh without changes (${result})`, unchanged, 'read both tables', scan);
for (let round = 0; round < 3; round++) {
  await changeTickets(sql, Number(values.changes));
  const refreshed = await measure(refresh);
  print(`refresh after changes (${result})`, refreshed, 'read both tables', scan);
}

const YEAR = `day >= current_date - 365`;
const perDay = await measureQuery(
  `select created_at::date, count(*) from ${SCHEMA}.tickets where created_at >= now() - interval '1 year' group by 1`,
);
const queries: readonly (readonly [string, string])[] = [
  ['daily_summary of a year', `select * from ${MODELS}.daily_summary where ${YEAR}`],
  [
    'daily_summary of a year, by day',
    `select day, sum(created), sum(resolved) from ${MODELS}.daily_summary where ${YEAR} group by 1`,
  ],
  ['daily_backlog of a year', `select day, sum(open_tickets) from ${MODELS}.daily_backlog where ${YEAR} group by 1`],
  ['agent_daily of a year', `select agent_id, sum(responses) from ${MODELS}.agent_daily where ${YEAR} group by 1`],
  ['company_monthly', `select * from ${MODELS}.company_monthly`],
  ['tickets, one page', `select * from ${MODELS}.tickets order by id desc limit 100`],
  ['sla_targets by state', `select kind, state, count(*) from ${MODELS}.sla_targets group by 1, 2`],
];
for (const [label, query] of queries)
  print(label, await measureQuery(query), 'tickets created in a year, by day', perDay);

await sql.unsafe(
  `truncate ${MODELS}._freshet_changed_tickets; update ${MODELS}._freshet_state set value = 'true' where key = 'rebuild_needed'`,
);
const rebuild = await measure(refresh);
print(`rebuild (${result})`, rebuild, 'read both tables, aggregate messages by ticket', floor);
const [size] = await sql.unsafe<{ bytes: string }[]>(
  `select pg_size_pretty(sum(pg_total_relation_size(oid))) as bytes from pg_class where relnamespace = '${MODELS}'::regnamespace and relkind = 'r'`,
);
console.log(`\nSize of the models: ${size?.bytes}`);
await sql.end();
