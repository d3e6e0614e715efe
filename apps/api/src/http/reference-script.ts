import fastify from 'fastify';
import { SCRIPT_PATH } from './reference-page.ts';

/**
 * Returns Scalar's script. The script has a size of 5 MB, so the process loads it on the first
 * request instead of at startup. The package exports the script only as a route of a plugin.
 * @throws Error if the plugin does not serve the script.
 */
export async function loadReferenceScript(): Promise<string> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const app = fastify();
  await app.register(scalar, { routePrefix: '/docs', configuration: { url: '/docs/openapi.json' } });
  const { statusCode, body } = await app.inject(SCRIPT_PATH);
  await app.close();
  if (statusCode !== 200) throw new Error(`The API reference plugin returned status ${statusCode} for its script.`);
  return body;
}
