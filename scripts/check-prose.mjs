#!/usr/bin/env node
/**
 * Checks the wording of documents, API descriptions, comments, error texts and test titles against
 * `prose/vocabulary.mjs`, with textlint. Usage: `node scripts/check-prose.mjs [path …]`. Without a
 * path, all files are checked.
 */
import { TextlintKernel } from '@textlint/kernel';
import markdown from '@textlint/textlint-plugin-markdown';
import text from '@textlint/textlint-plugin-text';
import { collectProse } from './prose/sources.mjs';
import { VOCABULARY } from './prose/vocabulary.mjs';

const PHRASES = VOCABULARY.map(({ pattern, advice }) => ({
  advice,
  regExp: new RegExp(`(?<![\\w-])(?:${pattern.replaceAll(' ', '\\s+')})(?![\\w-])`, 'giu'),
}));

/** A textlint rule: reports each phrase of the vocabulary, except in code. */
function vocabularyRule({ Syntax, RuleError, report, getSource }) {
  return {
    [Syntax.Str](node) {
      const source = getSource(node);
      for (const { regExp, advice } of PHRASES) {
        for (const { 0: phrase, index } of source.matchAll(regExp)) {
          report(node, new RuleError(`"${phrase.replace(/\s+/g, ' ').trim()}": write ${advice}.`, { index }));
        }
      }
    },
  };
}

const interop = (module) => module.default ?? module;
const plugins = [
  { pluginId: 'markdown', plugin: interop(markdown) },
  { pluginId: 'text', plugin: interop(text) },
];
const rules = [{ ruleId: 'vocabulary', rule: vocabularyRule }];
const kernel = new TextlintKernel();
const prose = collectProse(process.argv.slice(2));
const problems = [];
for (const { file, line, ext, text: content } of prose) {
  const { messages } = await kernel.lintText(content, { ext, filePath: file, plugins, rules });
  for (const { message, loc } of messages) problems.push(`${file}:${line + loc.start.line - 1}  ${message}`);
}
if (problems.length > 0) {
  console.error(
    `${problems.join('\n')}\n\nRewrite these ${problems.length} phrases. The rules are in CONTRIBUTING.md, "Style".`,
  );
  process.exit(1);
}
console.log(`The wording of ${prose.length} texts follows the rules.`);
