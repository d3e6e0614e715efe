import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A value in COPY's text format. */
export function escapeText(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (c) => ESCAPES[c] as string) : text;
}

/** Larger chunks cost memory and gain nothing; smaller ones cost a system call each. */
export const CHUNK_BYTES = 64 * 1024;

/** @param lines rows in COPY's text format, with their line breaks. */
export async function copy(
  client: ClientBase,
  statement: string,
  lines: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  async function* chunks(): AsyncGenerator<Buffer> {
    let chunk = '';
    for await (const line of lines) {
      chunk += line;
      if (chunk.length >= CHUNK_BYTES) {
        yield Buffer.from(chunk);
        chunk = '';
      }
    }
    if (chunk !== '') yield Buffer.from(chunk);
  }
  await copyBytes(client, statement, chunks());
}

/** @param chunks of rows, cut anywhere. */
export async function copyBytes(client: ClientBase, statement: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(chunks), client.query(copyFrom(statement)));
}
