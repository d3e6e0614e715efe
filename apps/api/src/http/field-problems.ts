import { AppError } from '@freshet/contracts';

/** A field of a request that is not valid. */
export interface FieldProblem {
  /** JSON pointer to the field, as in RFC 6901. */
  readonly pointer: string;
  /** What is wrong, and what would be valid. */
  readonly detail: string;
}

/** At most this many problems are reported at once. */
const PROBLEMS_MAX = 100;

/**
 * All problems of a request as one error.
 * @param describe a problem in the message of the error; without it, by its detail.
 */
export function invalidInput(
  problems: readonly FieldProblem[],
  describe = ({ detail }: FieldProblem) => detail,
): AppError {
  const more = problems.length - PROBLEMS_MAX;
  const errors =
    more > 0
      ? [...problems.slice(0, PROBLEMS_MAX), { pointer: '/', detail: `There are ${more} more problems.` }]
      : problems;
  return new AppError('invalid_input', errors.map(describe).join('; '), { context: { errors } });
}

/** @throws AppError `invalid_input` that holds all of the problems; nothing if there is none. */
export function rejectProblems(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw invalidInput(problems);
}

/** Runs a check that throws an AppError, and returns its message as a problem of the field. */
export function problemsFrom(pointer: string, check: () => unknown): FieldProblem[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error;
    return [{ pointer, detail: error.message }];
  }
}

/** A segment of a JSON pointer. */
export function pointerSegment(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
