import { styleText } from 'node:util';
import type { CheckResult, CheckStatus } from './check.ts';

/** The result of all checks, as `--json` prints it. */
export interface Report {
  readonly version: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly checks: readonly CheckResult[];
}

/** Longer lines are hard to read, even on a wide terminal. */
const LINE_WIDTH = 110;

const SYMBOLS: Readonly<Record<CheckStatus, string>> = { ok: '✔', warning: '!', failed: '✖', skipped: '-' };
const COLORS = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const;

const TITLES: Readonly<Record<string, string>> = {
  node: 'Node.js',
  settings: 'Settings',
  data_folder: 'Data folder',
  disk_space: 'Disk space',
  embedded_postgresql: 'Embedded PostgreSQL',
  control_database: 'Control database',
  database_clock: 'Clock of the database',
  secret_keys: 'Encryption keys',
  dns: 'DNS',
  freshdesk_key: 'Freshdesk API key',
  freshdesk_clock: 'Clock of Freshdesk',
  warehouse: 'Warehouse',
  port: 'Port',
  api: 'API',
  connections: 'Connections',
};

/** Returns the report for a terminal: one line for each check, and the remedy of each problem. */
export function formatReport({ version, status, checks }: Report, stream: NodeJS.WriteStream): string {
  const width = Math.max(...checks.map(({ check }) => getTitle(check).length));
  const lines = checks.flatMap(({ check, status: checkStatus, message, remedy }) => {
    const symbol = styleText(COLORS[checkStatus], SYMBOLS[checkStatus], { stream });
    const indent = ' '.repeat(width + 6);
    const line = `  ${symbol} ${getTitle(check).padEnd(width)}  ${wrap(message, indent)}`;
    return remedy === null ? [line] : [line, `${indent}→ ${wrap(remedy, `${indent}  `)}`];
  });
  return `Freshet ${version}\n\n${lines.join('\n')}\n\n${formatSummary(status, checks)}\n`;
}

/**
 * Breaks a text into lines.
 * @param indent the start of all lines except the first one.
 */
function wrap(text: string, indent: string): string {
  const width = LINE_WIDTH - indent.length;
  const lines = text
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const wrapped = [''];
      for (const word of line.split(' ')) {
        const current = wrapped.at(-1) as string;
        if (current !== '' && current.length + 1 + word.length > width) wrapped.push(word);
        else wrapped[wrapped.length - 1] = current === '' ? word : `${current} ${word}`;
      }
      return wrapped;
    });
  return lines.join(`\n${indent}`);
}

function getTitle(check: string): string {
  return TITLES[check] ?? check;
}

function formatSummary(status: Report['status'], checks: readonly CheckResult[]): string {
  if (status === 'ok') return 'No problems found.';
  const count = (wanted: CheckStatus) => checks.filter((result) => result.status === wanted).length;
  const [failures, warnings] = [count('failed'), count('warning')];
  const parts = [
    ...(failures === 0 ? [] : [`${failures} ${failures === 1 ? 'problem' : 'problems'}`]),
    ...(warnings === 0 ? [] : [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`]),
  ];
  return `${parts.join(' and ')} found. Lines that begin with → contain the remedies.`;
}
