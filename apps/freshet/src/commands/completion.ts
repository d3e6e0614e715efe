import { defineCommand } from '../cli/command.ts';
import { COMPLETION_SCRIPTS, SHELLS } from '../cli/completion.ts';

export const completion = defineCommand({
  name: 'completion',
  group: 'other',
  summary: 'Print the completion script of a shell',
  description: 'The script completes the commands and options of an installed freshet.',
  argument: { name: 'shell', choices: SHELLS, isRequired: true },
  examples: [
    { command: "echo 'source <(freshet completion bash)' >> ~/.bashrc", purpose: 'bash' },
    { command: "echo 'source <(freshet completion zsh)' >> ~/.zshrc", purpose: 'zsh, after compinit' },
    { command: 'freshet completion fish > ~/.config/fish/completions/freshet.fish', purpose: 'fish' },
  ],
  run({ argument }) {
    process.stdout.write(COMPLETION_SCRIPTS[argument as (typeof SHELLS)[number]]);
    return 0;
  },
});
