import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What a process writes that logs with these. */
function logged(statements: string): string {
  const script = `import { createLogger } from ${JSON.stringify(new URL('./logger.ts', import.meta.url).href)}; const logger = createLogger('test', 'info'); ${statements}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
}

test.each([
  ['a field of that name', "logger.info({ api_key: 'PLANTED' }, 'x')"],
  ['deeper', "logger.info({ a: { b: { password: 'PLANTED' } } }, 'x')"],
  ['a header', "logger.info({ headers: { authorization: 'Bearer PLANTED' } }, 'x')"],
  [
    'a connection string in a message',
    "logger.error({ err: new Error('cannot reach postgres://user:PLANTED@host/db') }, 'x')",
  ],
  ['in a cause', "logger.error({ err: new Error('a', { cause: new Error('postgres://u:PLANTED@h/d') }) }, 'x')"],
  [
    'the values of a query that failed',
    "logger.error({ err: new Error('Failed query: insert into t values ($1, $2)\\nparams: a,PLANTED\\nmore PLANTED') }, 'x')",
  ],
  [
    'what a driver hangs on its error',
    "logger.error({ err: Object.assign(new Error('a'), { query: 'PLANTED', parameters: ['PLANTED'] }) }, 'x')",
  ],
])('I6: a secret is not logged: %s', (_name, statement) => {
  const line = logged(statement);
  expect(JSON.parse(line)).toMatchObject({ msg: 'x' });
  expect(line).not.toContain('PLANTED');
});

test('an error keeps its message, its stack and its causes', () => {
  const { err } = JSON.parse(
    logged("logger.error({ err: new Error('Failed query: select 1\\nparams: 5', { cause: new Error('why') }) }, 'x')"),
  );
  expect(err).toMatchObject({ message: 'Failed query: select 1', cause: { message: 'why' } });
  expect(err.stack).toContain('\n    at ');
});
