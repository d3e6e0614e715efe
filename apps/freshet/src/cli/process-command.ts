import { type Command, defineCommand } from './command.ts';
import { replaceProcess } from './replace-process.ts';

/** The settings of every process. */
const ENVIRONMENT = {
  DATABASE_URL: 'URL of the control database: postgres://user:password@host:5432/database',
  FRESHET_SECRET_KEYS: 'Keys that encrypt the stored secrets: <id>:<base64 of 32 bytes>, …',
};

/** Defines a command that replaces itself with a process of a deployment. */
export function defineProcessCommand(options: {
  readonly name: string;
  readonly summary: string;
  /** The settings of this process, in addition to the settings of every process. */
  readonly environment?: Readonly<Record<string, string>>;
}): Command {
  const { name, summary, environment = {} } = options;
  return defineCommand({
    name,
    group: 'process',
    summary,
    description:
      'The process runs until it receives SIGTERM or SIGINT, and then completes or requeues its work.\nAll variables: https://github.com/freshet/freshet/blob/main/.env.example',
    environment: { ...ENVIRONMENT, ...environment },
    examples: [
      {
        command: `DATABASE_URL=postgres://… FRESHET_SECRET_KEYS_FILE=/etc/freshet/keys freshet ${name}`,
        purpose: 'Start the process. Read the keys from a file',
      },
    ],
    run: () => replaceProcess(`${name}/src/main`, [], process.env),
  });
}
