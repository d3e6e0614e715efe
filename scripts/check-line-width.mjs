#!/usr/bin/env node
/**
 * Checks line widths that the formatter does not enforce. Comments and Markdown prose wrap at 100
 * columns, and code wraps at 120. A line may be longer if it contains text that cannot be broken: a
 * table row, a link, a string literal or a regular expression.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const PROSE_COLUMNS = 100;
const CODE_COLUMNS = 120;
const EXCLUDED = /^(?:packages\/client\/src\/api\.ts|.*\/fixtures\/|docs\/objects\.md)/;
const COMMENT = /^\s*(?:\/\/|\/?\*(?:\s|\*|$))/;
/** A quoted string, template or regular expression that by itself fills most of a line. */
const UNBREAKABLE = /https?:\/\/\S{40}|(['"`/]).{60,}\1|`[^`]{60,}$|^[^`]{60,}`/;

const files = execFileSync('git', ['ls-files', '*.ts', '*.tsx', '*.mjs', '*.js', '*.md'], { encoding: 'utf8' });
const problems = [];
for (const file of files.trim().split('\n')) {
  if (EXCLUDED.test(file) || !existsSync(file)) continue;
  const isMarkdown = file.endsWith('.md');
  let isFenced = false;
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      if (isMarkdown && /^\s*```/.test(line)) isFenced = !isFenced;
      const isProse = isMarkdown ? !isFenced && !/^\s*\||\]\(/.test(line) : COMMENT.test(line);
      const columns = isProse ? PROSE_COLUMNS : CODE_COLUMNS;
      if (line.length <= columns) return;
      if (isProse ? /https?:\/\/\S{40}/.test(line) : isMarkdown || UNBREAKABLE.test(line)) return;
      problems.push(`${file}:${index + 1}: the line has ${line.length} columns, but the limit is ${columns}`);
    });
}
if (problems.length > 0) {
  console.error(`${problems.join('\n')}\n\n${problems.length} lines are too long. Wrap them.`);
  process.exit(1);
}
console.log('No line is too long.');
