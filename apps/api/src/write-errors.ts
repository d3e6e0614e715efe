/** Writes the error reference to `docs/errors.md`, or to the file in the first argument. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toMarkdown } from './http/error-reference.ts';

const target = process.argv[2] ?? fileURLToPath(new URL('../../../docs/errors.md', import.meta.url));
writeFileSync(target, toMarkdown());
