import { randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { TEST_TABLE } from '../test-support/test-loader.ts';
import { prepareBatches } from './prepare.ts';

const buildLine = (id: number, name: string) =>
  Buffer.from(`{"record":{"id":${id},"updated_at":"2024-01-01T00:00:00Z","name":"${name}"}}`, 'latin1');

/** Prepares one batch with these lines. Returns what the loader stores of each record. */
async function prepare(lines: readonly Buffer[]) {
  const raw = Buffer.concat(lines.flatMap((line, n) => (n === 0 ? [line] : [Buffer.from('\n'), line])));
  const batch = {
    id: randomUUID(),
    extractedAt: new Date(0),
    body: zstdCompressSync(raw),
    rawBytes: raw.length,
    isAudit: false,
    isRewrite: false,
  };
  const { records, rejections } = await prepareBatches([batch], TEST_TABLE);
  expect(rejections).toEqual([]);
  return records.map(({ hash, notes, raw: object }) => ({ hash, notes, text: object.bytes.toString('utf8') }));
}

test('the records of a batch do not depend on the other records of the batch', async () => {
  const url = 'https://a.example/f?X-Amz-Signature=';
  const lines = [
    buildLine(1, 'plain'),
    // A byte that is not valid UTF-8.
    buildLine(2, 'caf\xe9'),
    buildLine(3, `${url}1`),
    buildLine(4, `caf\xe9 ${url}1`),
  ];
  const alone = await Promise.all(lines.map((line) => prepare([line])));
  expect(await prepare(lines)).toEqual(alone.flat());
  expect(alone.flat().map(({ notes }) => notes)).toEqual([
    null,
    { encoding_replaced: [''] },
    null,
    { encoding_replaced: [''] },
  ]);
  expect(alone[1]?.[0]?.text).toContain('caf\ufffd');
  // Only the signature of the URL differs.
  expect((await prepare([buildLine(3, `${url}2`)]))[0]?.hash).toBe(alone[2]?.[0]?.hash);
});
