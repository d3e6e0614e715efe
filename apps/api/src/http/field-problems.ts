import { AppError } from '@freshet/contracts';

/** An invalid field of a request. */
export interface FieldProblem {
  /** JSON pointer to the field, as in RFC 6901. */
  readonly pointer: string;
  /** The cause and the valid values. */
  readonly detail: string;
}

/** The maximum number of problems in one response. */
const PROBLEMS_MAX = 100;

/**
 * Creates one `invalid_input` error from the problems of a request.
 * @param describe returns the text of a problem in the error message. Default: the detail of the
 * problem.
 */
export function createInvalidInputError(
  problems: readonly FieldProblem[],
  describe = ({ detail }: FieldProblem) => detail,
): AppError {
  const omitted = problems.length - PROBLEMS_MAX;
  const errors =
    omitted > 0
      ? [...problems.slice(0, PROBLEMS_MAX), { pointer: '/', detail: `${omitted} more problems are omitted.` }]
      : problems;
  return new AppError('invalid_input', errors.map(describe).join('; '), { context: { errors } });
}

/** @throws AppError `invalid_input` with all problems, if there are any. */
export function requireNoProblems(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw createInvalidInputError(problems);
}

/**
 * Runs a check. If the check throws an `invalid_input` error, returns the error as a problem of the
 * field.
 */
export function catchFieldProblems(pointer: string, check: () => unknown): FieldProblem[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error;
    return [{ pointer, detail: error.message }];
  }
}

/** Escapes a name for use as a segment of a JSON pointer. */
export function escapePointerSegment(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
