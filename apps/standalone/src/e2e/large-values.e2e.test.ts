import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** Records of 60 MB, which are within the size limit of a response. */
const BYTES = 60_000_000;
let deployment: Deployment;
let body: Buffer;

/** A value as JSON text, and as PostgreSQL is expected to store it. */
interface Content {
  readonly name: string;
  readonly json: string;
  readonly text: string;
}

function repeatContent(name: string, json: string, text: string): Content {
  const count = Math.floor(BYTES / Buffer.byteLength(json));
  return { name, json: json.repeat(count), text: text.repeat(count) };
}

const url = 'https://a.example/b?c=d&e=f#g_';
const CONTENTS: readonly Content[] = [
  repeatContent(
    'html',
    '<p class=\\"x\\">a &amp; b\\n\\t\\\\ é</p>\\u003cbr\\u003e\\/',
    '<p class="x">a &amp; b\n\t\\ é</p><br>/',
  ),
  repeatContent('emoji', '\\ud83d\\ude00 \\u00e9\\u2028😀 ', '😀 é\u2028😀 '),
  repeatContent('nul', 'a\\u0000b \\ud83d c ', 'a\ufffdb \ufffd c '),
  // The signed URL of an attachment makes the loader search the whole record for such URLs.
  repeatContent('addresses', url, url),
];
const digest = (text: string) => createHash('md5').update(text).digest('hex');

function setResponse({ name, json }: Content): void {
  const buildSmall = (id: number) =>
    `{"id":${id},"name":"group ${id}","description":"small","updated_at":"2024-01-01T00:00:00Z"}`;
  const large = `{"id":1,"name":"${name}","description":"${json}","unassigned_for":"https://a.example/f?Signature=x","updated_at":"2024-01-01T00:00:00Z"}`;
  body = Buffer.from(`[${large},${buildSmall(2)}]`);
}

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 10 },
    intercept: ({ path }, response) => {
      if (path !== '/api/v2/groups') return false;
      response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
      response
        .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
        .end(body);
      return true;
    },
  });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('every character of a 60 MB record is loaded into a new row, into an updated row and into the history', async () => {
  const { warehouse, schema } = deployment;
  setResponse(CONTENTS[0] as Content);
  const pipelineId = await deployment.createPipeline('demo-admin-key', 30, ['groups']);
  await deployment.updateObject(pipelineId, 'groups', { history: true });
  for (const content of CONTENTS) {
    setResponse(content);
    const run = await deployment.sync(pipelineId);
    expect(run.objects.find((o) => o.object === 'groups')).toMatchObject({ status: 'succeeded', records_rejected: 0 });
    const [row] = await warehouse.sql.unsafe(
      `select md5(description) as digest, name, _freshet_notes as notes from ${schema}.groups where id = 1`,
    );
    expect(row).toMatchObject({ digest: digest(content.text), name: content.name });
    expect(row?.['notes']).toEqual(
      content.name === 'nul' ? { nul_replaced: ['/description'], surrogate_replaced: ['/description'] } : null,
    );
  }
  const versions = await warehouse.sql.unsafe(
    `select md5(description) as digest from ${schema}.groups_history where id = 1 order by valid_from`,
  );
  expect(versions.map((v) => v['digest'])).toEqual(CONTENTS.map(({ text }) => digest(text)));
  const unchanged = await deployment.sync(pipelineId);
  expect(unchanged.objects.find((o) => o.object === 'groups')).toMatchObject({
    records_loaded: 0,
    records_unchanged: 2,
  });
}, 300_000);
