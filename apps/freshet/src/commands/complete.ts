import { defineCommand } from '../cli/command.ts';
import { complete as listCandidates } from '../cli/completion.ts';
import { createInvalidInputError } from '../cli/errors.ts';

/**
 * The completion scripts run this command. It prints one candidate per line, with its description.
 */
export const complete = defineCommand({
  name: 'complete',
  group: 'other',
  summary: 'List the candidates for a completion script',
  examples: [],
  isHidden: true,
  hasRawArguments: true,
  run({ rawArguments: [separator, ...words], commands }) {
    if (separator !== '--') throw createInvalidInputError('Usage: freshet complete -- <words up to the cursor>');
    for (const { word, description } of listCandidates(commands, words))
      process.stdout.write(`${word}\t${description}\n`);
    return 0;
  },
});
