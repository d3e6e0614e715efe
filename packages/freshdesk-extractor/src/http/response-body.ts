import { isJsonObject, type Json, parseJson } from '@freshet/contracts';

/** The media type of a body, derived from the content type and the first byte. */
export type MediaKind = 'json' | 'html' | 'other' | 'empty';

/** The content of an error response. */
export interface ErrorBody {
  /** Freshdesk's machine-readable code; '' if there is none. */
  readonly code: string;
  readonly message: string;
  /** The parameters that the API rejected. */
  readonly fields: readonly string[];
}

export const NO_ERROR: ErrorBody = { code: '', message: '', fields: [] };

/** Parses an error body in either of Freshdesk's two formats. */
export function parseErrorBody(body: Buffer): ErrorBody {
  let parsed: Json = null;
  try {
    parsed = parseJson(body.toString('utf8'));
  } catch {
    return { code: '', message: body.toString('utf8', 0, 200), fields: [] };
  }
  if (!isJsonObject(parsed)) return NO_ERROR;
  const errors = Array.isArray(parsed['errors']) ? parsed['errors'].filter(isJsonObject) : [];
  const details = errors.map((e) => `${String(e['field'] ?? '')}: ${String(e['message'] ?? '')}`);
  return {
    code: typeof parsed['code'] === 'string' ? parsed['code'] : '',
    message: [parsed['message'], parsed['description'], ...details].filter((t) => typeof t === 'string').join('; '),
    fields: errors.map((e) => String(e['field'] ?? '')),
  };
}

const LIST_START = 0x5b;
const OBJECT_START = 0x7b;
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/** Whether a body starts like a JSON array. The body may be truncated. */
export function isJsonList(body: Buffer): boolean {
  return findFirstByte(body) === LIST_START;
}

/** @param body as UTF-8. */
export function getMediaKind(body: Buffer, contentType: string): MediaKind {
  const first = findFirstByte(body);
  if (/json/i.test(contentType)) return first === undefined ? 'empty' : 'json';
  if (/html|xml/i.test(contentType)) return 'html';
  if (first === undefined) return 'empty';
  // Some proxies drop or replace the content type. The first byte then shows whether the body is
  // JSON.
  return (first === LIST_START || first === OBJECT_START) && /^$|text\/plain|octet-stream/i.test(contentType)
    ? 'json'
    : 'other';
}

function findFirstByte(body: Buffer): number | undefined {
  let i = 0;
  while (isSpace(body[i])) i++;
  return body[i];
}

const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Converts a body to UTF-8 without a byte order mark. The source encoding is determined from a byte
 * order mark, the first bytes, or the charset parameter of the content type.
 */
export function toUtf8(body: Buffer, contentType: string): Buffer {
  const utf16 = detectUtf16(body);
  if (utf16 !== null) return Buffer.from(new TextDecoder(utf16).decode(body));
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (!['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset) && !hasUtf8Bom(body)) {
    try {
      return Buffer.from(new TextDecoder(charset).decode(body));
    } catch (error) {
      // Ignore an unknown charset: JSON is UTF-8 (RFC 8259).
      if (!(error instanceof RangeError)) throw error;
    }
  }
  let start = 0;
  for (let i = 0; ; ) {
    if (isSpace(body[i])) i++;
    else if (body[i] === UTF8_BOM[0] && body.subarray(i, i + 3).equals(UTF8_BOM)) start = i += 3;
    else return body.subarray(start);
  }
}

function hasUtf8Bom(body: Buffer): boolean {
  return body.subarray(0, 3).equals(UTF8_BOM);
}

/**
 * JSON starts with an ASCII character, so a zero byte next to it identifies UTF-16 even without a
 * byte order mark.
 */
function detectUtf16(body: Buffer): 'utf-16le' | 'utf-16be' | null {
  if (body.length < 2) return null;
  const [a, b] = body as unknown as [number, number];
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return 'utf-16be';
  return null;
}
