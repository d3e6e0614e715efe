import { describe, expect, it } from 'vitest';
import { mergeWarnings, type NewWarning } from './warnings.ts';

const misfits = (subject: string, count: number): NewWarning => ({
  code: 'values_misfit',
  subject,
  count,
  message: (n) => `${n} values of ${subject} do not fit.`,
});

describe('mergeWarnings', () => {
  it('adds the counts of warnings with the same code and subject, and states the sum in the message', () => {
    const first = mergeWarnings([], [misfits('due_by', 2), misfits('type', 1)]);
    expect(mergeWarnings(first, [misfits('due_by', 3)])).toEqual([
      { code: 'values_misfit', subject: 'due_by', count: 5, message: '5 values of due_by do not fit.' },
      { code: 'values_misfit', subject: 'type', count: 1, message: '1 values of type do not fit.' },
    ]);
  });
});
