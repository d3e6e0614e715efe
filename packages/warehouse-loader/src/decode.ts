import { zstdDecompressSync } from 'node:zlib';
import {
  type AuditedLine,
  type BatchLine,
  type CompleteLine,
  type GenerationLine,
  type GoneLine,
  parseJson,
  type ReachedLine,
  type RecordLine,
} from '@freshet/contracts';
import type { BatchToLoad } from './request.ts';

/** The lines of some batches, sorted by what they are; `batch` is the place of the batch among them. */
export interface Decoded {
  readonly records: readonly { readonly batch: number; readonly line: number; readonly record: RecordLine; readonly text: string }[];
  readonly completes: readonly (CompleteLine['complete'] & { readonly batch: number })[];
  readonly generations: readonly (GenerationLine['generation'] & { readonly batch: number })[];
  /** Records that could not be read. */
  readonly rejected: readonly { readonly batch: number; readonly line: number; readonly reason: string; readonly text: string }[];
  readonly gone: readonly (GoneLine['gone'] & { readonly batch: number })[];
  readonly reached: ReachedLine['reached'] | null;
  readonly audited: AuditedLine['audited'] | null;
}

export function decode(batches: readonly BatchToLoad[]): Decoded {
  const records: Decoded['records'][number][] = [];
  const completes: Decoded['completes'][number][] = [];
  const generations: Decoded['generations'][number][] = [];
  const rejected: Decoded['rejected'][number][] = [];
  const gone: Decoded['gone'][number][] = [];
  let reached: Decoded['reached'] = null;
  let audited: Decoded['audited'] = null;
  batches.forEach(({ body }, batch) => {
    let n = 0;
    for (const text of linesOf(body)) {
      const line = parseJson(text) as unknown as BatchLine;
      if ('record' in line) records.push({ batch, line: n, record: line, text });
      else if ('rejected' in line) rejected.push({ batch, line: n, reason: line.rejected.reason, text });
      else if ('complete' in line) completes.push({ ...line.complete, batch });
      else if ('generation' in line) generations.push({ ...line.generation, batch });
      else if ('gone' in line) gone.push({ ...line.gone, batch });
      else if ('audited' in line) audited = line.audited;
      else reached = line.reached;
      n++;
    }
  });
  return { records, completes, generations, rejected, gone, reached, audited };
}

export function linesOf(body: Buffer): string[] {
  const text = zstdDecompressSync(body).toString('utf8');
  return text === '' ? [] : text.trimEnd().split('\n');
}
