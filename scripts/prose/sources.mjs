/**
 * Collects the project's prose: Markdown, the texts of the OpenAPI document, comments, and the
 * sentences among the string literals (error texts, log messages, descriptions, test titles).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';

/** Generated and third-party files. */
const EXCLUDED =
  /^(?:pnpm-lock\.yaml|LICENSE|patches\/|packages\/client\/src\/api\.ts|scripts\/prose\/|.*\/fixtures\/|docs\/openapi)/;
const OPENAPI = 'docs/openapi.json';
/** String literals with fewer words are names, keys or values, and are not prose. */
const SENTENCE_WORDS_MIN = 4;
const SQL =
  /^\s*(?:select|insert|update|delete|create|alter|drop|with|begin|set|lock|copy|from|where|grant|truncate)\b/i;

/**
 * @param {readonly string[]} paths Files or folders to read; all tracked and new files when empty.
 * @returns {{ file: string, line: number, ext: '.md' | '.txt', text: string }[]} Texts with the
 * line where each starts.
 */
export function collectProse(paths) {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...paths];
  const files = execFileSync('git', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .trim()
    .split('\n');
  return files
    .filter((file) => file === OPENAPI || (!EXCLUDED.test(file) && existsSync(file)))
    .flatMap((file) => extract(file, readFileSync(file, 'utf8')));
}

function extract(file, source) {
  if (file === OPENAPI) return extractOpenApi(file, JSON.parse(source));
  if (file.endsWith('.md')) return [{ file, line: 1, ext: '.md', text: source }];
  if (/\.(?:tsx?|mjs|js)$/.test(file)) return extractScript(file, source);
  if (file.endsWith('.sql')) return extractLineComments(file, source, /^\s*--\s?(.*)$/);
  if (/\.(?:go|java)$/.test(file)) return extractLineComments(file, source, /^\s*(?:\/\/|\*)\s?(.*)$/);
  if (/\.(?:ya?ml|sh|py|service|env|toml|conf)$|(?:Dockerfile|\.env\.example|\.ci\/run)$/.test(file)) {
    return extractLineComments(file, source, /^\s*#(?!!)\s?(.*)$/);
  }
  return [];
}

function extractOpenApi(file, node, pointer = '#') {
  if (node === null || typeof node !== 'object') return [];
  return Object.entries(node).flatMap(([key, value]) => {
    const at = `${pointer}/${key}`;
    if (typeof value !== 'string') return extractOpenApi(file, value, at);
    return ['summary', 'description', 'title'].includes(key)
      ? [{ file: `${file}${at}`, line: 1, ext: '.md', text: value }]
      : [];
  });
}

function extractScript(file, source) {
  const { program, comments } = parseSync(file, source);
  const lineOf = lineIndex(source);
  const texts = mergeLineComments(comments, source, lineOf).map(({ start, value }) => ({
    file,
    line: lineOf(start),
    ext: '.md',
    // Remove the stars of a block comment, which Markdown would interpret as a list.
    text: value.replace(/^[ \t]*\*+[ \t]?/gm, '').replace(/^\*+/, ''),
  }));
  visit(program, (node) => {
    const text =
      (node.type === 'Literal' && typeof node.value === 'string') || node.type === 'JSXText'
        ? node.value.trim()
        : node.type === 'TemplateLiteral'
          ? node.quasis.map((quasi) => quasi.value.cooked ?? '').join('…')
          : null;
    if (text !== null && isSentence(text)) texts.push({ file, line: lineOf(node.start), ext: '.txt', text });
    return node.type !== 'TaggedTemplateExpression';
  });
  return texts;
}

/**
 * Joins consecutive `//` comments, so that a sentence that spans several lines is checked as one
 * text.
 */
function mergeLineComments(comments, source, lineOf) {
  const merged = [];
  for (const { type, value, start, end } of comments) {
    const last = merged.at(-1);
    if (
      type === 'Line' &&
      last?.type === 'Line' &&
      lineOf(last.end) + 1 === lineOf(start) &&
      source.slice(last.end, start).trim() === ''
    ) {
      last.value += `\n${value}`;
      last.end = end;
    } else merged.push({ type, value, start, end });
  }
  return merged;
}

function visit(node, enter) {
  if (node === null || typeof node !== 'object') return;
  if (Array.isArray(node)) {
    for (const child of node) visit(child, enter);
    return;
  }
  if (typeof node.type === 'string' && !enter(node)) {
    // The literal parts of a tagged template are SQL. Its expressions may contain prose.
    visit(node.quasi?.expressions, enter);
    return;
  }
  for (const [key, child] of Object.entries(node)) if (key !== 'parent') visit(child, enter);
}

function isSentence(text) {
  return text.trim().split(/\s+/).length >= SENTENCE_WORDS_MIN && !SQL.test(text);
}

function extractLineComments(file, source, pattern) {
  const texts = [];
  source.split('\n').forEach((line, index) => {
    const comment = pattern.exec(line)?.[1];
    if (comment === undefined) return;
    const last = texts.at(-1);
    if (last !== undefined && last.line + last.lines === index + 1) {
      last.text += `\n${comment}`;
      last.lines += 1;
    } else texts.push({ file, line: index + 1, lines: 1, ext: '.txt', text: comment });
  });
  return texts;
}

/** Returns a function that converts an offset to a line number, counted from 1. */
function lineIndex(source) {
  const starts = [0];
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
