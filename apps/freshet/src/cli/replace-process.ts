import { AppError } from '@freshet/contracts';
import { NODE_OPTIONS, resolveEntryModule } from '@freshet/runtime';

/**
 * Replaces this process with a program of Freshet, so that signals reach the program directly.
 * @param program the folder and the module of the program, such as `api/src/main`.
 * @throws AppError `configuration` if the platform cannot replace a process.
 */
export function replaceProcess(program: string, args: readonly string[], environment: NodeJS.ProcessEnv): never {
  if (process.execve === undefined)
    throw new AppError(
      'configuration',
      'This platform does not support process.execve. Run Freshet on Linux or macOS with Node.js 24 or newer. On Windows, use WSL.',
    );
  const module = resolveEntryModule(`../../../${program}`, import.meta.url);
  process.execve(process.execPath, [process.execPath, ...NODE_OPTIONS, module, ...args], environment);
  throw new AppError('bug', `The process could not be replaced with ${program}.`);
}
