import { styleText } from 'node:util';
import type { Run } from '@freshet/client';
import { createLogUpdate } from 'log-update';
import { type Parents, RunProgress } from './run-progress.ts';

interface Step {
  readonly name: string;
  /** The result of the step. Null: the step is in progress. */
  detail: string | null;
}

/** The display width of the names of steps and objects. */
const NAME_WIDTH = 24;
const DONE = '✔';
const IN_PROGRESS = '·';

/**
 * Shows the start of a deployment and the progress of its first run. On a terminal, one block is
 * redrawn: a line for each step, and below the steps a bar for the run and the objects in progress.
 * Without a terminal, or if the size of the terminal is unknown, each step is a line that is
 * printed when the step ends.
 */
export class StartDisplay {
  readonly #out: NodeJS.WriteStream;
  /** Whether a block is redrawn. */
  readonly #isLive: boolean;
  readonly #redraw: ReturnType<typeof createLogUpdate>;
  readonly #steps: Step[] = [];
  #progress: RunProgress | null = null;
  #run: Run | null = null;
  #isClosed = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
    this.#isLive = out.isTTY && out.columns > 0;
    this.#redraw = createLogUpdate(out);
  }

  /** Shows a step while `work` is in progress, and then the result of the step. */
  async step<T>(name: string, work: () => Promise<T>, describe: (result: T) => string): Promise<T> {
    const step: Step = { name, detail: null };
    this.#steps.push(step);
    this.#draw();
    const result = await work();
    step.detail = describe(result);
    if (this.#isLive) this.#draw();
    else this.print(`  ${name.padEnd(NAME_WIDTH)} ${step.detail}`);
    return result;
  }

  /** Shows the progress of a run below the steps. */
  showRun(run: Run, parents: Parents): void {
    this.#progress ??= new RunProgress(parents);
    this.#run = run;
    if (this.#isLive) return this.#draw();
    for (const line of this.#progress.listChanges(run)) this.print(line);
  }

  /** Prints a text above the block. */
  print(text: string): void {
    if (this.#isLive && !this.#isClosed) this.#redraw.clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** Removes the progress of the run. */
  hideRun(): void {
    this.#run = null;
    this.#draw();
  }

  /** Ends the block. The steps stay on the screen. */
  close(): void {
    if (this.#isClosed) return;
    this.hideRun();
    this.#isClosed = true;
    if (this.#isLive) this.#redraw.done();
  }

  #draw(): void {
    if (!this.#isLive || this.#isClosed) return;
    const steps = this.#steps.map(({ name, detail }) =>
      detail === null
        ? `  ${styleText('dim', IN_PROGRESS, { stream: this.#out })} ${name}`
        : `  ${styleText('green', DONE, { stream: this.#out })} ${name.padEnd(NAME_WIDTH)} ${detail}`,
    );
    const progress =
      this.#run === null || this.#progress === null ? [] : ['', ...this.#progress.draw(this.#run, this.#out.columns)];
    this.#redraw(['', ...steps, ...progress].join('\n'));
  }
}
