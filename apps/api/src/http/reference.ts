/**
 * The API reference at `/docs/`. Scalar renders it in the browser. The page has a strict content
 * security policy, and all features of Scalar that are not part of the reference are disabled.
 */
import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { App } from '../context.ts';
import { buildCodeSamples } from './code-samples.ts';
import { CONFIGURATION, SCRIPT_PATH, STYLE, STYLE_HASHES } from './reference-page.ts';
import { loadReferenceScript } from './reference-script.ts';

type Operation = Parameters<typeof buildCodeSamples>[2] & { readonly tags?: readonly string[] };
interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags?: readonly { readonly name: string }[];
}

/** The groups of the navigation, in the order of the tasks of a new user. */
export const TAG_GROUPS = [
  { name: 'Set up', tags: ['credentials', 'destinations', 'catalog', 'pipelines'] },
  { name: 'Run and monitor', tags: ['runs', 'failed units', 'rejected records', 'accounts', 'usage', 'webhooks'] },
  { name: 'Analyze', tags: ['warehouse', 'reports'] },
  { name: 'Protect data', tags: ['erasures', 'tokens', 'audit log'] },
  { name: 'Operate', tags: ['system', 'health'] },
];
const STYLE_SOURCES = STYLE_HASHES.map((hash) => `'${hash}'`).join(' ');
/** The group of tags that no other group contains. */
const OTHER_GROUP = 'More';

/** Registers the reference. Its files are public, like the OpenAPI document. */
export async function registerReference(app: App): Promise<void> {
  const hidden = { schema: { hide: true } };
  const sendFile = (reply: FastifyReply, type: string, body: string) =>
    reply.type(type).header('cache-control', 'no-cache').send(body);
  let document: string | null = null;
  app.get('/docs/openapi.json', hidden, async (_request, reply) => {
    document ??= JSON.stringify(toReferenceDocument(app.swagger() as Document));
    return sendFile(reply, 'application/json', document);
  });
  app.get('/docs/reference.css', hidden, async (_request, reply) => sendFile(reply, 'text/css; charset=utf-8', STYLE));
  app.get('/docs/reference.js', hidden, async (_request, reply) =>
    sendFile(
      reply,
      'text/javascript; charset=utf-8',
      `Scalar.createApiReference('#app', ${JSON.stringify(CONFIGURATION)});\n`,
    ),
  );
  let script: Promise<string> | null = null;
  app.get(SCRIPT_PATH, hidden, async (_request, reply) => {
    script ??= loadReferenceScript().catch((error: unknown) => {
      script = null;
      throw error;
    });
    return reply
      .type('text/javascript; charset=utf-8')
      .header('cache-control', 'public, max-age=3600')
      .send(await script);
  });
  app.get('/docs', hidden, async (_request, reply) => reply.redirect('/docs/', 301));
  // The page of Scalar’s plugin is not used: its inline script would violate the security policy.
  app.get('/docs/', hidden, async (_request, reply) => sendPage(reply));
}

function sendPage(reply: FastifyReply): FastifyReply {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}' ${STYLE_SOURCES}`,
    // Scalar sets style attributes that depend on the number of lines of each sample.
    "style-src-attr 'unsafe-inline'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy.join('; '))
    .header('referrer-policy', 'no-referrer')
    .header('x-frame-options', 'DENY')
    .header('cache-control', 'no-store')
    .send(toPage(nonce));
}

/** @param nonce Scalar adds the nonce to the style sheet that it inserts. */
function toPage(nonce: string): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Freshet API reference</title><meta property="csp-nonce" content="${nonce}">`,
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/reference.css"></head>',
    '<body><noscript>The API reference requires JavaScript. Without JavaScript, use the <a href="/v1/openapi.json">OpenAPI document</a>.</noscript>',
    `<div id="app"></div><script src="${SCRIPT_PATH}"></script><script src="/docs/reference.js"></script></body></html>`,
    '',
  ].join('\n');
}

/**
 * Adds code samples and groups to the OpenAPI document. The published document does not contain
 * them, because its clients do not need them.
 */
export function toReferenceDocument(document: Document): object {
  const paths = Object.entries(document.paths ?? {}).map(([path, methods]) => [
    path,
    Object.fromEntries(
      Object.entries(methods).map(([method, operation]) => [
        method,
        { ...operation, 'x-codeSamples': buildCodeSamples(method, path, operation) },
      ]),
    ),
  ]);
  const tags = (document.tags ?? []).map((tag) => ({ ...tag, 'x-displayName': toTitle(tag.name) }));
  const grouped = new Set(TAG_GROUPS.flatMap((group) => group.tags));
  const others = tags.map(({ name }) => name).filter((name) => !grouped.has(name));
  const groups = [...TAG_GROUPS, ...(others.length === 0 ? [] : [{ name: OTHER_GROUP, tags: others }])];
  return { ...document, paths: Object.fromEntries(paths), tags, 'x-tagGroups': groups };
}

const toTitle = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
