/** Writes the OpenAPI document to `docs/openapi.json`, or to the file in the first argument. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ControlStore } from '@freshet/control-store';
import { createOutboundPolicy, Metrics } from '@freshet/runtime';
import { buildApp } from './app.ts';

// Only the schemas of the routes are used. The store is never called.
const app = await buildApp({
  store: {} as ControlStore,
  originTemplate: null,
  isDraining: () => false,
  outboundPolicy: createOutboundPolicy(''),
  metrics: new Metrics('api'),
  requestsPerMinute: 1,
  help: { folder: '' },
});
const target = process.argv[2] ?? fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url));
writeFileSync(target, `${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
