import type { Sql } from '../database/database.ts';
import { NIL_UUID } from '../database/ids.ts';
import type { SecretBox } from './secret-box.ts';

/** Every column with sealed values. The associated data of a value is `<table>/<id>/<column>`. */
const SEALED_COLUMNS = [
  ['credentials', 'secret'],
  ['rejected_records', 'raw'],
  ['pipelines', 'hash_salt'],
  ['webhooks', 'secret'],
  ['webhooks', 'previous_secret'],
  ['webhooks', 'template_secret'],
  ['idempotency_keys', 'body'],
] as const;

const PAGE_ROWS = 500;

/**
 * Re-encrypts every stored secret with the newest key. Call this function after all processes have
 * the new key. When this function has returned, the old key can be removed. The function can be
 * interrupted and repeated.
 * @returns the number of re-encrypted secrets.
 */
export async function rotateKeys(sql: Sql, box: SecretBox): Promise<number> {
  let rotated = 0;
  for (const [table, column] of SEALED_COLUMNS) {
    let after = NIL_UUID;
    for (;;) {
      const rows = await sql<{ id: string; sealed: string }[]>`
        select id, ${sql(column)} as sealed from freshet.${sql(table)}
        where id > ${after} and ${sql(column)} is not null
        order by id limit ${PAGE_ROWS}`;
      for (const { id, sealed } of rows) {
        const rewrapped = box.rewrap(sealed, `${table}/${id}/${column}`);
        if (rewrapped === null) continue;
        // Do not overwrite a secret that was replaced in the meantime.
        const { count } = await sql`
          update freshet.${sql(table)} set ${sql(column)} = ${rewrapped}
          where id = ${id} and ${sql(column)} = ${sealed}`;
        rotated += count;
      }
      const last = rows.at(-1);
      if (!last) break;
      after = last.id;
    }
  }
  return rotated;
}
