import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { costOf } from '../object-reader.ts';
import type { CatalogueColumn, ObjectSpec, Since } from './define.ts';
import { catalogue } from './index.ts';

/** Writes the objects' reference, `docs/objects.md`, from the catalogue. */

const WAYS: Readonly<Record<ObjectSpec['way']['kind'], (object: ObjectSpec) => string>> = {
  keyset: () => 'What has changed since the last run, oldest first, by value and not by page number.',
  since: ({ way }) =>
    way.kind === 'since'
      ? `What has changed since the last run${lookback(way)}; the whole list where the account’s filter does not work.`
      : '',
  sweep: () => 'The whole list on every run; what it no longer holds is marked as `missing`.',
  children: ({ way }) =>
    way.kind === 'children'
      ? `Below ${way.parent}: the whole list of each ${way.versionFields.length === 0 ? 'one, on every run' : `one whose ${way.versionFields.join(' or ')} has changed`}; what it no longer holds is marked as \`missing\`.`
      : '',
};

function lookback({ lookbackDays, rereadSyncs }: Since): string {
  const part =
    rereadSyncs === undefined
      ? ''
      : `, and in each run a part of the complete list, which is spread over ${rereadSyncs} runs or more`;
  return lookbackDays > 0 ? `, the last ${lookbackDays} days again${part}` : '';
}

function section(object: ObjectSpec): string {
  const cost = costOf(object).credits;
  const facts = [
    `**Read:** ${WAYS[object.way.kind](object)}`,
    `**Endpoint:** [\`GET ${object.path}\`](${object.docs}), ${cost} ${cost === 1 ? 'credit' : 'credits'} a page of ${object.pageSize}.`,
    `**Key:** ${object.primaryKey.map((k) => `\`${k}\``).join(', ')}.`,
    `**Needs:** the API key of ${object.permission === 'admin' ? 'an admin' : 'any agent, whose ticket scope narrows it'}${object.feature ? `, and the feature “${object.feature}” in the plan` : ''}.`,
    ...(object.history ? ['**History:** the first sync goes back `historical_sync_days`.'] : []),
    ...deletions(object),
    ...detail(object),
  ];
  const rows = object.columns.map((c) => `| \`${c.name}\` | ${c.type} | ${notes(c)} |`);
  return `## ${object.title}\n\nTable \`${object.name}\`. ${object.description}\n\n${facts.map((f) => `- ${f}`).join('\n')}\n\n| column | type | |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function deletions(object: ObjectSpec): string[] {
  const kinds = object.views.flatMap((v) => (v.deleted === null ? [] : [`\`${v.deleted}\``]));
  return kinds.length === 0 ? [] : [`**Deletions:** \`_freshet_delete_kind\` is ${kinds.join(' or ')}.`];
}

function detail({ single }: ObjectSpec): string[] {
  if (single === null || single.columns.length === 0) return [];
  const credits = 1 + single.include.length;
  const columns = single.columns.map((c) => `\`${c}\``).join(', ');
  return [`**Detail:** by choice, for ${credits} ${credits === 1 ? 'credit' : 'credits'} a record; fills ${columns}.`];
}

function notes(c: CatalogueColumn): string {
  const values =
    c.values === null
      ? ''
      : ` ${Object.entries(c.values)
          .map(([value, label]) => `${value} ${label}`)
          .join(', ')}.`;
  const reference = c.references === null ? '' : ` Key of \`${c.references}\`${c.owner ? ', and erased with it' : ''}.`;
  const absent = c.optional ? ' Not on every account.' : '';
  return `${c.description}${values}${reference}${absent}`.replaceAll('|', '\\|');
}

const HEAD = `# Objects

Every object that Freshet reads, its table and its columns. Made from the catalogue by \`pnpm run docs:objects\`.

Beside the columns listed here, every table has the account's own fields (\`cf_…\`), fields that Freshdesk adds, and the
columns of [the warehouse contract](warehouse.md).

`;

const target = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/objects.md', import.meta.url));
writeFileSync(target, HEAD + catalogue.map(section).join('\n'));
