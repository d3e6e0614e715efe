import { AppError } from '@freshet/contracts';
import { readSettings, settings } from '@freshet/runtime';

/**
 * Serves an assistant over standard input and standard output, with the token in `FRESHET_TOKEN`.
 * Messages for users go to standard error, because standard output belongs to the protocol.
 * @param url the address of the API. Absent: `FRESHET_URL`.
 * @throws AppError `configuration` if the address or the token is missing.
 */
export async function serveMcp(url: string | undefined, environment: NodeJS.ProcessEnv): Promise<void> {
  const variables = url === undefined ? environment : { ...environment, FRESHET_URL: url };
  const { FRESHET_URL, FRESHET_TOKEN } = readSettings(
    { FRESHET_URL: settings.serverUrl(['http:', 'https:']), FRESHET_TOKEN: settings.string },
    variables,
  );
  if (process.stdin.isTTY)
    throw new AppError(
      'configuration',
      'freshet mcp is started by an assistant, and reads its requests from standard input. See /help/guides/mcp for the configuration of assistants.',
    );
  const { serveStdio } = await import('@freshet/mcp');
  serveStdio({
    url: FRESHET_URL,
    token: FRESHET_TOKEN,
    onError: ({ message }) => process.stderr.write(`${message}\n`),
  });
}
