import { AppError } from '@freshet/contracts';

/** The exit statuses of the command line. */
export const EXIT = {
  success: 0,
  failure: 1,
  /** `diff`: there are differences. */
  different: 2,
  /** EX_USAGE of sysexits.h: an unknown command or option, or an invalid file. */
  usage: 64,
  /** EX_CONFIG of sysexits.h: invalid settings. */
  configuration: 78,
} as const;

export function createInvalidInputError(message: string): AppError {
  return new AppError('invalid_input', message);
}
