import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { FastifyBaseLogger } from 'fastify';
import type { Help } from '../../context.ts';

/**
 * Returns a function that starts the build of the documentation site on its first call. `npm start`
 * uses this function, so that its start does not wait for a site that may not be needed.
 * @param script the path of `scripts/docs-site.mjs`.
 */
export function createSiteBuild(script: string, logger: FastifyBaseLogger): NonNullable<Help['build']> {
  let state: 'idle' | 'building' | 'failed' = 'idle';
  return () => {
    if (state === 'idle') {
      state = 'building';
      const child = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'pipe'] });
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-4000);
      });
      child.once('error', (error) => {
        state = 'failed';
        logger.error({ err: error }, 'Building the documentation site failed');
      });
      child.once('spawn', () => setPriority(child.pid as number, constants.priority.PRIORITY_LOW));
      child.once('exit', (code) => {
        if (code === 0) return;
        state = 'failed';
        logger.error({ output }, 'Building the documentation site failed');
      });
    }
    return state === 'failed' ? 'failed' : 'building';
  };
}
