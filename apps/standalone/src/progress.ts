import type { ObjectRunAnswer, RunAnswer } from './api-client.ts';

/** Object → the object it stands below. */
export type Parents = ReadonlyMap<string, string | null>;

const OVER = new Set(['succeeded', 'failed', 'cancelled', 'forbidden', 'not_in_plan', 'skipped']);
const HEADER = ['object', 'state', 'read', 'in warehouse', 'credits', 'per second', ''];

/**
 * Shows a run while it goes on: on a terminal a table that is drawn over itself, elsewhere a line for each change
 * of an object's state.
 */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #parents: Parents;
  readonly #began = performance.now();
  #linesDrawn = 0;
  readonly #said = new Map<string, string>();

  constructor(out: NodeJS.WriteStream, parents: Parents) {
    this.#out = out;
    this.#parents = parents;
  }

  show(run: RunAnswer): void {
    if (this.#out.isTTY) this.#draw(table(this.#rows(run)));
    else this.#tell(run);
  }

  /** The last state, as a table that stays. */
  summary(run: RunAnswer): void {
    const rows = run.objects.map((o) => [
      o.object,
      o.status,
      n(o.records_extracted),
      n(o.records_loaded),
      n(o.records_unchanged),
      n(o.records_deleted),
      n(o.credits_used),
      o.error?.message ?? '',
    ]);
    const sum = (field: 'records_extracted' | 'records_loaded' | 'records_unchanged' | 'records_deleted' | 'credits_used') =>
      n(run.objects.reduce((total, o) => total + o[field], 0));
    const seconds = ((run.finished_at === null ? Date.now() : Date.parse(run.finished_at)) - Date.parse(run.created_at)) / 1000;
    const total = [
      '',
      run.status,
      sum('records_extracted'),
      sum('records_loaded'),
      sum('records_unchanged'),
      sum('records_deleted'),
      sum('credits_used'),
      `${seconds.toFixed(1)} s`,
    ];
    const lines = table([['object', 'status', 'read', 'new or changed', 'unchanged', 'deleted', 'credits', ''], ...rows, total]);
    if (this.#out.isTTY) this.#draw(lines);
    else this.#out.write(`\n${lines.join('\n')}\n`);
  }

  #rows(run: RunAnswer): string[][] {
    const seconds = Math.max(0.001, (performance.now() - this.#began) / 1000);
    return [
      HEADER,
      ...run.objects.map((o) => [
        o.object,
        o.status,
        n(o.records_extracted),
        n(landed(o)),
        n(o.credits_used),
        OVER.has(o.status) ? '' : n(Math.round(o.records_extracted / seconds)),
        this.#waitsFor(o, run),
      ]),
    ];
  }

  #waitsFor(o: ObjectRunAnswer, run: RunAnswer): string {
    if (OVER.has(o.status)) return o.error?.message ?? '';
    const until = o.not_before === null ? '' : ` for ${Math.max(0, Math.ceil((Date.parse(o.not_before) - Date.now()) / 1000))} s`;
    if (o.status === 'waiting_for_credits') return `waits for credits${until}`;
    if (o.error !== null) return `tries again: ${o.error.message}`;
    const parent = this.#parents.get(o.object) ?? null;
    const above = run.objects.find((other) => other.object === parent);
    if (above && !OVER.has(above.status)) return `follows ${parent}`;
    if (o.records_extracted > landed(o)) return 'loading';
    return o.status === 'queued' ? 'waits for a worker' : 'reading';
  }

  #draw(lines: readonly string[]): void {
    const up = this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A\u001b[J` : '';
    const width = this.#out.columns || 120;
    this.#out.write(`${up}${lines.map((line) => line.slice(0, width)).join('\n')}\n`);
    this.#linesDrawn = lines.length;
  }

  #tell(run: RunAnswer): void {
    for (const o of run.objects) {
      const waits = this.#waitsFor(o, run).replace(/ for \d+ s$/, '');
      const now = OVER.has(o.status)
        ? `${o.status}: ${n(o.records_extracted)} read, ${n(landed(o))} in the warehouse, ${n(o.credits_used)} credits${waits ? ` (${waits})` : ''}`
        : waits;
      if (this.#said.get(o.object) === now) continue;
      this.#said.set(o.object, now);
      this.#out.write(`  ${o.object.padEnd(24)} ${now}\n`);
    }
  }
}

const landed = (o: ObjectRunAnswer): number => o.records_loaded + o.records_unchanged + o.records_rejected;
const n = (value: number): string => value.toLocaleString('en-US');

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] as readonly string[]).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  // Words to the left, numbers to the right.
  return rows.map((row) =>
    row
      .map((cell, i) => (i < 2 || i === row.length - 1 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
}
