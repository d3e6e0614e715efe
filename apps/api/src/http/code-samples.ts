/**
 * Code samples of the operations for the API reference: curl, TypeScript and Python. The samples
 * use the examples of the OpenAPI document. They read the URL and the token from `FRESHET_URL` and
 * `FRESHET_TOKEN`.
 */
import { EXAMPLE_IDS, EXAMPLE_OBJECT } from './example-values.ts';

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  /** Empty: the operation requires no token. */
  readonly security?: readonly unknown[];
}

export interface CodeSample {
  readonly lang: string;
  readonly label: string;
  readonly source: string;
}

interface Call {
  readonly method: string;
  /** The path with placeholders: `/v1/runs/{id}`. */
  readonly path: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly needsToken: boolean;
  /** The media type of a successful response. Null: the response has no body. */
  readonly responseType: string | null;
}

/** Values of path parameters, keyed by name. `id` is the id of the resource of the tag. */
const PATH_VALUES: Readonly<Record<string, string>> = {
  object: EXAMPLE_OBJECT,
  table: EXAMPLE_OBJECT,
  record_id: EXAMPLE_IDS.rejected_record,
  erasure_id: EXAMPLE_IDS.erasure,
  delivery_id: EXAMPLE_IDS.delivery,
  subdomain: 'acme',
  report: 'tickets_created_resolved',
};
/** Operations whose `record_id` is the id of a record in Freshdesk. */
const FRESHDESK_RECORD_ID = '4711';
const IDS_BY_COLLECTION: Readonly<Record<string, string>> = {
  credentials: EXAMPLE_IDS.api_key,
  destinations: EXAMPLE_IDS.destination,
  pipelines: EXAMPLE_IDS.pipeline,
  runs: EXAMPLE_IDS.run,
  webhooks: EXAMPLE_IDS.webhook,
  tokens: EXAMPLE_IDS.token,
  'dead-jobs': EXAMPLE_IDS.dead_job,
};
const STREAM = 'text/event-stream';

/** Builds the samples of an operation. */
export function buildCodeSamples(method: string, path: string, operation: Operation): readonly CodeSample[] {
  const names = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const success = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith('2'))?.[1];
  const call: Call = {
    method: method.toUpperCase(),
    path,
    pathParameters: Object.fromEntries(names.map((name) => [name, getPathValue(name, path)])),
    body: operation.requestBody?.content?.['application/json']?.example,
    needsToken: operation.security?.length !== 0,
    responseType: Object.keys(success?.content ?? {})[0] ?? null,
  };
  return [
    { lang: 'shell', label: 'curl', source: toCurl(call) },
    { lang: 'typescript', label: 'TypeScript', source: toTypeScript(call) },
    { lang: 'python', label: 'Python', source: toPython(call) },
  ];
}

function getPathValue(name: string, path: string): string {
  if (name === 'record_id' && path.includes('/records/')) return FRESHDESK_RECORD_ID;
  const collection = path.split('/')[2] ?? '';
  const value = name === 'id' ? IDS_BY_COLLECTION[collection] : PATH_VALUES[name];
  if (value === undefined) throw new Error(`code-samples.ts: ${path} has no example value for {${name}}.`);
  return value;
}

/** Inserts the path parameters. */
const fillPath = ({ path, pathParameters }: Call): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(pathParameters[name] as string));

function toCurl(call: Call): string {
  const parts = [
    `curl --fail-with-body -sS${call.responseType === STREAM ? 'N' : ''}${call.method === 'GET' ? '' : ` -X ${call.method}`} "$FRESHET_URL${fillPath(call)}"`,
    ...(call.needsToken ? ['-H "Authorization: Bearer $FRESHET_TOKEN"'] : []),
    ...(call.body === undefined
      ? []
      : [
          `-H 'Content-Type: application/json'`,
          `-d '${JSON.stringify(call.body, null, 2).replaceAll("'", String.raw`'\''`)}'`,
        ]),
  ];
  return parts.join(' \\\n  ');
}

/** Uses the client, or `fetch` if the response is not JSON. */
function toTypeScript(call: Call): string {
  if (call.path === '/v1/runs/{id}/events') {
    return [
      ...CLIENT_HEADER,
      `for await (const run of freshet.watchRun('${call.pathParameters['id']}')) console.log(run.status, run.progress);`,
    ].join('\n');
  }
  if (!call.path.startsWith('/v1/') || (call.responseType ?? 'application/json') !== 'application/json') {
    const headers = call.needsToken ? `, {\n  headers: { authorization: \`Bearer \${FRESHET_TOKEN}\` },\n}` : '';
    return [
      `const { FRESHET_URL${call.needsToken ? ', FRESHET_TOKEN' : ''} } = process.env;`,
      '',
      `const response = await fetch(\`\${FRESHET_URL}${fillPath(call)}\`${headers});`,
      'console.log(await response.text());',
    ].join('\n');
  }
  const options = [
    ...(Object.keys(call.pathParameters).length === 0
      ? []
      : [`  params: { path: ${toTypeScriptLiteral(call.pathParameters, '  ')} },`]),
    ...(call.body === undefined ? [] : [`  body: ${toTypeScriptLiteral(call.body, '  ')},`]),
  ];
  const argument = options.length === 0 ? '' : `, {\n${options.join('\n')}\n}`;
  const request = `await freshet.${call.method.toLowerCase()}('${call.path}'${argument});`;
  const lines = call.responseType === null ? [request] : [`const result = ${request}`, 'console.log(result);'];
  return [...CLIENT_HEADER, ...lines].join('\n');
}

const CLIENT_HEADER = [
  `import { Freshet } from '@freshet/client';`,
  '',
  "const { FRESHET_URL = '', FRESHET_TOKEN = '' } = process.env;",
  'const freshet = new Freshet({ url: FRESHET_URL, token: FRESHET_TOKEN });',
];

function toTypeScriptLiteral(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2)
    .replace(/^(\s*)"([A-Za-z_]\w*)":/gm, '$1$2:')
    .replaceAll('\n', `\n${indent}`);
}

/** Uses the package `requests`. */
function toPython(call: Call): string {
  const isStream = call.responseType === STREAM;
  const options = [
    ...(call.needsToken ? [`headers={"Authorization": f"Bearer {os.environ['FRESHET_TOKEN']}"},`] : []),
    ...(call.body === undefined ? [] : [`json=${toPythonLiteral(call.body, '    ')},`]),
    isStream ? 'stream=True,' : 'timeout=60,',
  ];
  const output = isStream
    ? ['for line in response.iter_lines(decode_unicode=True):', '    print(line)']
    : call.responseType === null
      ? []
      : [`print(response.${call.responseType === 'application/json' ? 'json()' : 'text'})`];
  return [
    'import os',
    'import requests',
    '',
    `response = requests.${call.method.toLowerCase()}(`,
    `    f"{os.environ['FRESHET_URL']}${fillPath(call)}",`,
    ...options.map((option) => `    ${option}`),
    ')',
    'response.raise_for_status()',
    ...output,
  ].join('\n');
}

const PYTHON_CONSTANTS: Readonly<Record<string, string>> = { true: 'True', false: 'False', null: 'None' };

function toPythonLiteral(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 4)
    .replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g, (token) => PYTHON_CONSTANTS[token] ?? token)
    .replaceAll('\n', `\n${indent}`);
}
