import { getObject, toTable } from '@freshet/freshdesk-extractor';
import { METADATA_COLUMNS } from '@freshet/warehouse-loader';
import type postgres from 'postgres';

/** The schema with the generated tables. */
export const SCHEMA = 'bench';
/** The years over which the creation of the tickets is distributed. */
const YEARS = 3;
const GROUPS = 12;
const AGENTS = 60;

/** The times in `stats` that also have a column. */
const STATS = ['first_responded_at', 'agent_responded_at', 'status_updated_at', 'resolved_at', 'closed_at'];

/**
 * Generates the tables of an account in SQL, with the columns and indexes of the loader. A ticket
 * has three conversations on average. One in fifty tickets is open.
 */
export async function generateWarehouse(sql: postgres.Sql, tickets: number): Promise<void> {
  await sql.unsafe(`drop schema if exists ${SCHEMA} cascade; drop schema if exists ${SCHEMA}_analytics cascade`);
  await sql.unsafe(`create schema ${SCHEMA}`);
  for (const name of [
    'tickets',
    'conversations',
    'satisfaction_ratings',
    'time_entries',
    'agents',
    'contacts',
    'companies',
    'products',
    'groups',
    'business_hours',
    'ticket_fields',
    'ticket_statuses',
    'ticket_priorities',
    'ticket_sources',
  ])
    await createTable(sql, name);
  for (const name of STATS)
    await sql.unsafe(`alter table ${SCHEMA}.tickets add column if not exists stats_${name} timestamptz`);
  await generateSettings(sql);
  await generateTickets(sql, tickets);
  await generateChildren(sql);
  for (const name of ['tickets', 'conversations', 'satisfaction_ratings', 'time_entries'])
    await sql.unsafe(`vacuum analyze ${SCHEMA}.${name}`);
}

async function createTable(sql: postgres.Sql, name: string): Promise<void> {
  const { columns, primaryKey, lookupColumns } = toTable(getObject(name));
  const definitions = [
    ...columns.map((column) => `"${column.name}" ${column.type}`),
    ...Object.entries(METADATA_COLUMNS).map(([column, type]) => `${column} ${type}`),
    `primary key (${primaryKey.map((column) => `"${column}"`).join(', ')})`,
  ];
  await sql.unsafe(`create table ${SCHEMA}.${name} (${definitions.join(', ')}) with (fillfactor = 85)`);
  for (const column of lookupColumns) await sql.unsafe(`create index on ${SCHEMA}.${name} ("${column}")`);
}

async function generateSettings(sql: postgres.Sql): Promise<void> {
  const week = JSON.stringify(
    Object.fromEntries(
      ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [
        day,
        { start_time: '8:00 am', end_time: '5:30 pm' },
      ]),
    ),
  );
  await sql.unsafe(
    `insert into ${SCHEMA}.business_hours (id, name, is_default, time_zone, business_hours)
     select n, 'Calendar ' || n, n = 1,
       (array['Berlin', 'Eastern Time (US & Canada)', 'Sydney', 'Tokyo', 'London'])[n], $1::text::jsonb
     from generate_series(1, 5) n`,
    [week],
  );
  await sql.unsafe(`
    insert into ${SCHEMA}.groups (id, name, business_hour_id)
    select n, 'Group ' || n, 1 + n % 5 from generate_series(1, ${GROUPS}) n;
    insert into ${SCHEMA}.agents (id, contact)
    select n, jsonb_build_object('name', 'Agent ' || n) from generate_series(1, ${AGENTS}) n;
    insert into ${SCHEMA}.companies (id, name) select n, 'Company ' || n from generate_series(1, 500) n;
    insert into ${SCHEMA}.ticket_statuses (id, label)
    values (2, 'Open'), (3, 'Pending'), (4, 'Resolved'), (5, 'Closed'), (6, 'Waiting on carrier')`);
}

/** A pseudorandom number from 0 to 1 that depends only on the number of the ticket. */
const random = (n: string, salt: number) => `((hashint8(${n} * 31 + ${salt})::bigint & 1048575) / 1048576.0)`;

async function generateTickets(sql: postgres.Sql, tickets: number): Promise<void> {
  await sql.unsafe(`
    insert into ${SCHEMA}.tickets (
      id, subject, description_text, description, status, priority, source, type, requester_id, responder_id, group_id,
      company_id, due_by, fr_due_by, fr_escalated, is_escalated, spam, tags, custom_fields, stats,
      ${STATS.map((name) => `stats_${name}`).join(', ')}, created_at, updated_at, _freshet_extracted_at, _freshet_loaded_at
    )
    select
      n, 'Subject of ticket ' || n, repeat('The order has not arrived yet. ', 8), repeat('<p>The order has not arrived.</p>', 6),
      status, 1 + n % 4, (array[1, 1, 1, 2, 2, 3, 7, 10])[1 + n % 8], 'Question', 100000 + n % 20000,
      1 + (n * 7) % ${AGENTS}, 1 + (n * 5) % ${GROUPS}, 1 + (n * 3) % 500, created + interval '3 days',
      created + interval '8 hours', false, false, n % 200 = 0, '["invoice", "vip"]', '{"cf_boxes": 3, "cf_paid": true}',
      jsonb_build_object(${STATS.map((name) => `'${name}', to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`).join(', ')}),
      ${STATS.join(', ')}, created, coalesce(closed_at, status_updated_at), now(), now()
    from (
      select g.*, responded as first_responded_at, responded as agent_responded_at,
        coalesce(resolved_at, responded) as status_updated_at,
        case when status = 5 then resolved_at + interval '2 days' end as closed_at
      from (
        select t.*, case when status in (4, 5) then
            date_trunc('second', responded + interval '1 hour' * (-60 * ln(1 - ${random('n', 3)} * 0.999)))
          end as resolved_at
        from (
          select n, date_trunc('second', created) as created,
            date_trunc('second', created + interval '1 minute' * (-400 * ln(1 - ${random('n', 2)} * 0.999))) as responded,
            case when n % 50 = 0 then 2 + n / 50 % 2 when n % 7 = 0 then 4 else 5 end as status
          from (
            select n, now() - interval '${YEARS} years' * (1 - n / ${tickets}.0) as created
            from generate_series(1, ${tickets}) n
          ) c
        ) t
      ) g
    ) s`);
}

async function generateChildren(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    insert into ${SCHEMA}.conversations (
      id, ticket_id, body, body_text, incoming, private, user_id, source, created_at, updated_at, _freshet_extracted_at
    )
    select
      t.id * 10 + k, t.id, repeat('<div>Thank you for your message.</div>', 6), repeat('Thank you for your message. ', 6),
      k = 2, k = 4, case when k = 2 then t.requester_id else t.responder_id end, case when k = 4 then 2 else 0 end,
      at, at, now()
    from ${SCHEMA}.tickets t
    cross join lateral generate_series(1, 2 + t.id % 3) k
    cross join lateral (
      select t.created_at + ((t.stats_first_responded_at - t.created_at) * k) as at
    ) a
    order by t.id, k;
    insert into ${SCHEMA}.satisfaction_ratings (
      id, survey_id, user_id, agent_id, group_id, ticket_id, ratings, created_at
    )
    select t.id, 1, t.requester_id, t.responder_id, t.group_id, t.id,
      jsonb_build_object('default_question', (array[103, 103, 102, 100, -103])[1 + t.id % 5]), t.updated_at
    from ${SCHEMA}.tickets t where t.id % 5 = 1;
    insert into ${SCHEMA}.time_entries (
      id, ticket_id, agent_id, company_id, billable, time_spent, executed_at, created_at
    )
    select t.id, t.id, t.responder_id, t.company_id, t.id % 2 = 0, '00:' || lpad((t.id % 60)::text, 2, '0'),
      t.updated_at,
      t.updated_at
    from ${SCHEMA}.tickets t where t.id % 7 = 1`);
}

/** Changes tickets as a sync does: an agent answers open tickets, and resolves half of them. */
export async function changeTickets(sql: postgres.Sql, count: number): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction.unsafe(
      `create temp table changed on commit drop as
       select id, responder_id from ${SCHEMA}.tickets where status in (2, 3) and not spam order by id desc limit ${count}`,
    );
    await transaction.unsafe(`
      update ${SCHEMA}.tickets t set updated_at = now(), status = case when t.id % 2 = 0 then 4 else 2 end,
        stats_status_updated_at = now(), stats_resolved_at = case when t.id % 2 = 0 then now() end
      from changed c where c.id = t.id;
      insert into ${SCHEMA}.conversations (
        id, ticket_id, body_text, incoming, private, user_id, source, created_at, updated_at
      )
      select c.id * 10 + 8 + (extract(epoch from clock_timestamp()) * 1000000)::bigint, c.id, 'Done.', false, false,
        c.responder_id, 0, now(), now()
      from changed c`);
  });
}
