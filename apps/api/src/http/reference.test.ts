import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { CodeSample } from './code-samples.ts';
import { TAG_GROUPS, toReferenceDocument } from './reference.ts';

type Source = Parameters<typeof toReferenceDocument>[0];
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly example: unknown } } };
  readonly 'x-codeSamples': readonly CodeSample[];
}
interface Reference {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly tags: readonly { readonly name: string }[];
  readonly 'x-tagGroups': typeof TAG_GROUPS;
}

const published = JSON.parse(
  readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'),
) as Source & { readonly paths: object };
const reference = toReferenceDocument(published) as Reference;
const operations = Object.entries(reference.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })),
);
const getSample = (operation: Operation, label: string): string =>
  operation['x-codeSamples'].find((sample) => sample.label === label)?.source ?? '';

/** A shell function that prints the arguments of curl. A NUL follows each argument. */
const FAKE_CURL = String.raw`curl() { printf '%s\0' "$@"; }`;
/** Separates the output of the samples. */
const SEPARATOR = '\x01';

describe('toReferenceDocument', () => {
  test('the published document contains no code samples and no groups', () => {
    expect(JSON.stringify(published)).not.toMatch(/x-codeSamples|x-tagGroups/);
  });

  test('each tag is in one group', () => {
    const grouped = reference['x-tagGroups'].flatMap(({ tags }) => tags);
    expect(grouped.toSorted()).toEqual(reference.tags.map(({ name }) => name).toSorted());
    expect(reference['x-tagGroups'].slice(0, TAG_GROUPS.length)).toEqual(TAG_GROUPS);
  });

  test('a tag that no group contains is in an additional group', () => {
    const extended = toReferenceDocument({ ...published, tags: [...(published.tags ?? []), { name: 'metrics' }] });
    expect((extended as Reference)['x-tagGroups'].at(-1)).toEqual({ name: 'More', tags: ['metrics'] });
  });

  test('no operation has a required query parameter or header, which the samples would omit', () => {
    const required = operations.filter(({ parameters }) =>
      parameters?.some((parameter) => parameter.in !== 'path' && parameter.required === true),
    );
    expect(required.map(({ operationId }) => operationId)).toEqual([]);
  });
});

describe('the code samples', () => {
  test('in curl send the method, URL, token and example of the operation', () => {
    const script = operations.map((operation) => `${getSample(operation, 'curl')}\nprintf '${SEPARATOR}'`).join('\n');
    const output = execFileSync('bash', ['-euc', `${FAKE_CURL}\n${script}`], {
      encoding: 'utf8',
      env: { ...process.env, FRESHET_URL: 'https://freshet.example.com', FRESHET_TOKEN: 'frt_token' },
    });
    const calls = output.split(SEPARATOR).map((call) => call.split('\0').slice(0, -1));
    for (const [index, { operationId, method, path, requestBody }] of operations.entries()) {
      const call = calls[index] ?? [];
      const url = new RegExp(`^https://freshet\\.example\\.com${path.replace(/\{\w+\}/g, '[^/{}]+')}$`);
      expect(
        call.find((argument) => url.test(argument)),
        operationId,
      ).toBeDefined();
      expect(call.includes('-X') ? call[call.indexOf('-X') + 1] : 'GET', operationId).toBe(method);
      const isPublic = ['/livez', '/readyz', '/v1/sessions'].includes(path);
      expect(call.includes('Authorization: Bearer frt_token'), operationId).toBe(!isPublic);
      const body = call.includes('-d') ? JSON.parse(call[call.indexOf('-d') + 1] as string) : undefined;
      expect(body, operationId).toEqual(requestBody?.content['application/json'].example);
    }
  });

  test('in TypeScript are valid and contain no placeholders', () => {
    for (const operation of operations) {
      const source = getSample(operation, 'TypeScript');
      expect(() => stripTypeScriptTypes(source), operation.operationId).not.toThrow();
      expect(source, operation.operationId).toMatch(/freshet\.|fetch\(/);
    }
  });

  test('in Python are valid', () => {
    const sources = operations.map((operation) => getSample(operation, 'Python'));
    execFileSync('python3', ['-c', 'import ast, json, sys\nfor s in json.load(sys.stdin): ast.parse(s)'], {
      input: JSON.stringify(sources),
    });
    expect(sources.join('\n')).not.toMatch(/: (?:true|false|null)\b/);
  });
});
