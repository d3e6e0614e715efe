import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { CHUNK_BYTES } from './copy-text.ts';

/**
 * Collects rows into chunks and streams the chunks into a COPY statement.
 * @param lines rows in COPY's text format, each with its line break.
 */
export async function copyLines(
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
  await copyChunks(client, statement, chunks());
}

/**
 * Streams chunks of rows into a COPY statement.
 * @param chunks rows in COPY's text format. A chunk may end within a row.
 */
export async function copyChunks(client: ClientBase, statement: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(chunks), client.query(copyFrom(statement)));
}
