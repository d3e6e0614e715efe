import { CREDIT_CLASSES, type CreditsSpent } from '@freshet/contracts';
import type { Fragment, Tx } from '../database/database.ts';

/** Builds the assignments that add spent credits to an object run, in total and for each class. */
export function buildCreditsUpdate(tx: Tx, credits: CreditsSpent): Fragment {
  const byClass = CREDIT_CLASSES.map((creditClass) => credits[creditClass] ?? 0);
  return tx`credits_used = credits_used + ${byClass.reduce((sum, n) => sum + n, 0)}, credits_by_class = (
    select array_agg(spent + added order by index)
    from unnest(credits_by_class, ${`{${byClass.join()}}`}::text::numeric[]) 
      with ordinality as c(spent, added, index))`;
}
