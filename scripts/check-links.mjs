/** Every relative link of the Markdown files leads to a file. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const broken = [];
const files = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n');
for (const file of files) {
  for (const [, target] of readFileSync(file, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:|^#/.test(target)) continue;
    if (!existsSync(join(dirname(file), target.split('#')[0]))) broken.push(`${file}: ${target}`);
  }
}
if (broken.length > 0) {
  console.error(`Links that lead nowhere:\n  ${broken.join('\n  ')}`);
  process.exit(1);
}
console.log(`The links of ${files.length} files lead to files.`);
