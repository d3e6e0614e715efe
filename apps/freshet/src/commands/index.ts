import type { Command } from '../cli/command.ts';
import { api } from './api.ts';
import { apply } from './apply.ts';
import { backup } from './backup.ts';
import { complete } from './complete.ts';
import { completion } from './completion.ts';
import { createToken } from './create-token.ts';
import { diff } from './diff.ts';
import { doctor } from './doctor.ts';
import { exportManifest } from './export.ts';
import { extractWorker } from './extract-worker.ts';
import { help } from './help.ts';
import { loadWorker } from './load-worker.ts';
import { mcp } from './mcp.ts';
import { migrate } from './migrate.ts';
import { rotateKeys } from './rotate-keys.ts';
import { scheduler } from './scheduler.ts';
import { signIn } from './sign-in.ts';
import { standalone } from './standalone.ts';
import { sync } from './sync.ts';

/** The commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  standalone,
  sync,
  api,
  extractWorker,
  loadWorker,
  scheduler,
  doctor,
  backup,
  migrate,
  rotateKeys,
  createToken,
  signIn,
  diff,
  apply,
  exportManifest,
  mcp,
  completion,
  complete,
  help,
];
