import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { StartDisplay } from './start-display.ts';

/** Creates a stream that collects its output. */
function createOutput(isTTY: boolean, columns = 120) {
  const written: string[] = [];
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    written.push(chunk.toString());
    done();
  };
  const stream = Object.assign(new Writable({ write }), { isTTY, columns, rows: 40 });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => stripVTControlCharacters(written.join('')) };
}

test('StartDisplay marks a step in progress, and shows its result when it has ended', async () => {
  const { stream, text } = createOutput(true);
  const display = new StartDisplay(stream);
  const { promise, resolve } = Promise.withResolvers<string>();
  const step = display.step(
    'API',
    () => promise,
    (url) => `at ${url}`,
  );
  expect(text()).toContain('  · API');
  resolve('http://h');
  expect(await step).toBe('http://h');
  expect(text()).toMatch(/ {2}✔ API {21} at http:\/\/h/);
});

test.each([
  ['the output is not a terminal', false, 120],
  ['the size of the terminal is unknown', true, 0],
])('StartDisplay prints a line for each finished step if %s', async (_title, isTTY, columns) => {
  const { stream, text } = createOutput(isTTY, columns);
  const display = new StartDisplay(stream);
  await display.step(
    'PostgreSQL',
    async () => '/data',
    (folder) => folder,
  );
  display.print('The api exited (1).');
  display.close();
  expect(text()).toBe('  PostgreSQL               /data\nThe api exited (1).\n');
});

test('StartDisplay passes on the error of a step', async () => {
  const { stream } = createOutput(false);
  const display = new StartDisplay(stream);
  const step = display.step(
    'API',
    () => Promise.reject(new Error('port in use')),
    () => '',
  );
  await expect(step).rejects.toThrow('port in use');
});
