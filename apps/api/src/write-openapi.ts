import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ControlStore } from '@freshet/control-store';
import { Metrics, outbound } from '@freshet/runtime';
import { buildApp } from './app.ts';

/** Writes the document to `docs/openapi.json`. No route is called, so no store is needed. */
const app = await buildApp({
  store: {} as ControlStore,
  originTemplate: null,
  isDraining: () => false,
  reach: outbound(''),
  metrics: new Metrics('api'),
  requestsPerMinute: 1,
});
const target = process.argv[2] ?? fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url));
writeFileSync(target, `${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
