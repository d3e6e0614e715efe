import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Runs statements with a `logger` in a separate process. @returns the log lines. */
function runWithLogger(statements: string): string {
  const script = `import { createLogger } from ${JSON.stringify(new URL('./logger.ts', import.meta.url).href)}; const logger = createLogger('test', 'info'); ${statements}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
}

describe('createLogger', () => {
  test.each([
    ['a field named like a secret', "logger.info({ api_key: 'PLANTED' }, 'x')"],
    ['a nested field', "logger.info({ a: { b: { password: 'PLANTED' } } }, 'x')"],
    ['an authorization header', "logger.info({ headers: { authorization: 'Bearer PLANTED' } }, 'x')"],
    [
      'the password of a URL in an error message',
      "logger.error({ err: new Error('cannot reach postgres://user:PLANTED@host/db') }, 'x')",
    ],
    [
      'the password of a URL in the cause of an error',
      "logger.error({ err: new Error('a', { cause: new Error('postgres://u:PLANTED@h/d') }) }, 'x')",
    ],
    [
      'a sign-in code in the message of an error',
      "logger.error({ err: new Error('GET /console?code=frc_PLANTED89abcdefghijklmnopqrst0123456') }, 'x')",
    ],
    [
      'the values of a failed query',
      "logger.error({ err: new Error('Failed query: insert into t values ($1, $2)\\nparams: a,PLANTED\\nmore PLANTED') }, 'x')",
    ],
    [
      'the properties that a driver attaches to an error',
      "logger.error({ err: Object.assign(new Error('a'), { query: 'PLANTED', parameters: ['PLANTED'] }) }, 'x')",
    ],
  ])('redacts %s (I6)', (_title, statement) => {
    const line = runWithLogger(statement);
    expect(JSON.parse(line)).toMatchObject({ msg: 'x' });
    expect(line).not.toContain('PLANTED');
  });

  test('logs the message, the stack and the causes of an error', () => {
    const { err } = JSON.parse(
      runWithLogger(
        "logger.error({ err: new Error('Failed query: select 1\\nparams: 5', { cause: new Error('why') }) }, 'x')",
      ),
    );
    expect(err).toMatchObject({ message: 'Failed query: select 1', cause: { message: 'why' } });
    expect(err.stack).toContain('\n    at ');
  });
});
