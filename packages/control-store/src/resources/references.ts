import { AppError } from '@freshet/contracts';
import { eq } from 'drizzle-orm';
import type { Database } from '../database/database.ts';
import { credentials } from '../database/schema/index.ts';

/** A field that refers to a resource that does not exist or cannot be used. */
export interface ReferenceProblem {
  readonly pointer: string;
  readonly detail: string;
}

/** @throws AppError `invalid_input` with all problems. */
export async function rejectReferenceProblems(found: Promise<readonly ReferenceProblem[]>): Promise<void> {
  const errors = await found;
  if (errors.length > 0)
    throw new AppError('invalid_input', errors.map(({ detail }) => detail).join(' '), { context: { errors } });
}

/**
 * Finds the problems of a reference to a credential: the credential does not exist, or has the
 * wrong type.
 */
export async function findCredentialProblems(
  db: Database,
  id: string,
  type: string,
  pointer: string,
): Promise<ReferenceProblem[]> {
  const [row] = await db.select({ type: credentials.type }).from(credentials).where(eq(credentials.id, id));
  const field = pointer.slice(1).replaceAll('/', '.');
  if (!row) return [{ pointer, detail: `${field}: credential ${id} does not exist.` }];
  if (row.type === type) return [];
  return [
    { pointer, detail: `${field}: this credential has the type ${row.type}. Use a credential of the type ${type}.` },
  ];
}
