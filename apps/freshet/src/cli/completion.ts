import type { Command, OptionSpec } from './command.ts';

/** A word that the shell can insert, and its description. */
export interface Candidate {
  readonly word: string;
  readonly description: string;
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const GLOBAL_OPTIONS: readonly Candidate[] = [
  { word: '--help', description: 'Show help' },
  { word: '--version', description: 'Print the version' },
];

/**
 * Lists the words that can replace the last word of a command line.
 * @param words the words after `freshet`, up to the cursor. The last word may be empty.
 * @returns an empty list if a file name is expected, or nothing fits.
 */
export function complete(commands: readonly Command[], words: readonly string[]): Candidate[] {
  const current = words.at(-1) ?? '';
  return listCandidates(commands, words.slice(0, -1), current).filter(({ word }) => word.startsWith(current));
}

function listCandidates(commands: readonly Command[], previous: readonly string[], current: string): Candidate[] {
  const visible = commands.filter(({ isHidden }) => isHidden !== true);
  const [name] = previous;
  if (name === undefined) {
    if (current.startsWith('-')) return [...GLOBAL_OPTIONS];
    return visible.map((command) => ({ word: command.name, description: command.summary }));
  }
  const command = visible.find((candidate) => candidate.name === name);
  if (command === undefined) return [];
  const expected = findOption(command, previous.at(-1) as string);
  if (expected?.type === 'string') return toCandidates(expected.choices ?? [], expected.description);
  if (current.startsWith('-')) {
    const options = Object.entries(command.options ?? {});
    return [
      ...options.map(([option, { description }]) => ({ word: `--${option}`, description })),
      { word: '--help', description: 'Show the help of the command' },
    ];
  }
  if (command.argument === undefined || previous.length > 1) return [];
  if (command.argument.name === 'command')
    return visible.map(({ name: word, summary }) => ({ word, description: summary }));
  return toCandidates(command.argument.choices, command.argument.name);
}

function findOption(command: Command, word: string): OptionSpec | undefined {
  return Object.entries(command.options ?? {}).find(
    ([name, { short }]) => word === `--${name}` || (short !== undefined && word === `-${short}`),
  )?.[1];
}

function toCandidates(words: readonly string[], description: string): Candidate[] {
  return words.map((word) => ({ word, description }));
}

/**
 * The completion script of each shell. Each script asks `freshet complete` for the candidates, so
 * that the candidates always belong to the installed release. If there are no candidates, the shell
 * completes file names.
 */
export const COMPLETION_SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# Completion of freshet for bash. Load it with: source <(freshet completion bash)
_freshet() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _freshet freshet
`,
  zsh: `#compdef freshet
# Completion of freshet for zsh. Load it with: source <(freshet completion zsh)
_freshet() {
  local line
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then _describe freshet candidates; else _files; fi
}
if [[ \${funcstack[1]} == _freshet ]]; then _freshet "$@"; else compdef _freshet freshet; fi
`,
  fish: `# Completion of freshet for fish. Load it with: freshet completion fish | source
function __freshet_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l candidates (freshet complete -- $words[2..-1] "$current" 2>/dev/null)
  if test (count $candidates) -gt 0
    printf '%s\\n' $candidates
  else
    __fish_complete_path "$current"
  end
end
complete -c freshet -f -a '(__freshet_complete)'
`,
};
