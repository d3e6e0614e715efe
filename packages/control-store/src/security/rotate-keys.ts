import type { Sql } from '../database/database.ts';
import type { SecretBox } from './secret-box.ts';

/** Every column that holds sealed text; a secret is bound to `<table>/<id>/<column>`. */
const SEALED = [
  ['credentials', 'secret'],
  ['rejected_records', 'raw'],
  ['pipelines', 'hash_salt'],
  ['webhooks', 'secret'],
  ['webhooks', 'previous_secret'],
  ['webhooks', 'template_secret'],
  ['idempotency_keys', 'body'],
] as const;

const ROWS_AT_ONCE = 500;

/**
 * Puts every sealed text under the newest key. Run it after a key was added and every process has it; then the old
 * key may go. It may be stopped and run again.
 * @returns how many were put under it.
 */
export async function rotateKeys(sql: Sql, box: SecretBox): Promise<number> {
  let rewrapped = 0;
  for (const [table, column] of SEALED) {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const rows = await sql<{ id: string; sealed: string }[]>`
        select id, ${sql(column)} as sealed from freshet.${sql(table)} where id > ${after} and ${sql(column)} is not null order by id limit ${ROWS_AT_ONCE}`;
      for (const { id, sealed } of rows) {
        const fresh = box.rewrap(sealed, `${table}/${id}/${column}`);
        if (fresh === null) continue;
        // Only if nobody has written another secret meanwhile.
        const { count } =
          await sql`update freshet.${sql(table)} set ${sql(column)} = ${fresh} where id = ${id} and ${sql(column)} = ${sealed}`;
        rewrapped += count;
      }
      const last = rows.at(-1);
      if (!last) break;
      after = last.id;
    }
  }
  return rewrapped;
}
