import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CatalogueColumn } from './columns.ts';
import { getListCredits, getRecordCredits } from './credits.ts';
import type { ObjectSpec } from './define-object.ts';
import { catalogue } from './index.ts';
import type { ChangedSinceStrategy } from './strategies.ts';

/** Writes the object reference, `docs/objects.md`, from the catalogue. */

const INTRODUCTION = `# Objects

This page lists every Freshdesk object that Freshet replicates, with its table and columns. It is
generated from the catalogue by \`npm run docs:objects\`.

In addition to the columns listed here, each table has columns for the account's custom fields
(\`cf_…\`), for fields that Freshdesk adds, and the
[metadata columns](warehouse.md#metadata-columns).

## Strategies

The strategy of an object determines which records a sync reads and how it detects deletions. A
deleted record remains in its table and is marked in \`_freshet_deleted_at\` and
\`_freshet_delete_kind\`.

### Keyset

Freshet reads the records that changed since the last sync, sorted by the time of the last update.
The cursor is a timestamp, not a page number, so a change during the sync does not hide another
record. Lists of deleted records are read in the same way.

### Changed since

Freshet reads the records that a changed-since filter returns. If the account does not support the
filter, Freshet uses the full list instead.

Some filters return new records but no edits. For such an object, each sync also rereads a lookback
window of several days and a part of the complete list. Edits that are older than the window arrive
after several syncs.

### Full list

Freshet reads the complete list on every sync. A row whose record is absent from the list is marked
as \`missing\`.

If a list becomes empty, or loses more than 20% and more than 5 of its records, Freshet assumes an
outage or a loss of permissions. The object then fails with \`source_shrunk\`, and no row is marked.
If the records were really deleted, restart the object.

### Children

Freshet reads the list of children of each record of a parent object. If the parent has a version
field, a sync reads only the children of new and changed parents. A row whose record is absent from
its parent's list is marked as \`missing\`.

### Daily export

Freshet requests the file of each day after the day has ended, and requests it again on the next
day. The table then contains all entries of the day. If the file of a day is damaged or does not
exist, the day becomes a [failed unit](operations.md#failed-units).

### Audits

Some changes and deletions are not returned by any filter. An audit reads an object completely,
corrects stale rows, adds missing records, and detects deletions. Audits cover all objects except
those that every sync reads completely, and those with a daily export.
`;

function renderSection(object: ObjectSpec): string {
  const facts: [string, string][] = [
    ['Table', `\`${object.name}\``],
    [
      'Endpoint',
      listPaths(object)
        .map((path) => `[\`GET ${path}\`](${object.docs})`)
        .join(', '),
    ],
    ['Strategy', describeStrategy(object)],
    ['Primary key', object.primaryKey.map(quote).join(', ')],
    ['Deletions', describeDeletions(object)],
    ['Credits', describeCredits(object)],
    ['Requires', describeRequirements(object)],
    ['Included by default', describeInclusion(object)],
  ];
  if (object.hasHistoryLimit) facts.push(['History', '`historical_sync_days` limits the first sync']);
  if (object.customFields !== null)
    facts.push(['Custom fields', `\`cf_…\` columns, as defined by \`GET ${object.customFields.path}\``]);
  if (object.detail !== null && object.detail.columns.length > 0)
    facts.push(['Record details', describeDetail(object.detail)]);
  return [
    `## ${object.title}\n\n${object.description}\n`,
    `| | |\n| --- | --- |\n${facts.map(([name, value]) => `| ${name} | ${value} |\n`).join('')}`,
    `| Column | Type | Description |\n| --- | --- | --- |\n${object.columns.map(renderColumn).join('')}`,
  ].join('\n');
}

function describeInclusion({ includedByDefault, includedIfAvailable }: ObjectSpec): string {
  if (includedIfAvailable) return 'no; `npm start` includes the object if the connection test finds it available';
  return includedByDefault ? 'yes' : 'no';
}

/** Lists the paths of an object's list. Some lists have several parts, each with its own path. */
function listPaths({ path, strategy }: ObjectSpec): readonly string[] {
  return strategy.kind === 'full-list' ? (strategy.paths ?? [path]) : [path];
}

function describeStrategy({ strategy }: ObjectSpec): string {
  switch (strategy.kind) {
    case 'keyset':
      return `[keyset](#keyset) on \`${strategy.cursorColumn}\``;
    case 'changed-since':
      return `[changed since](#changed-since) on \`${strategy.cursorColumn}\`${describeLookback(strategy)}`;
    case 'full-list':
      return '[full list](#full-list)';
    case 'daily-export':
      return '[daily export](#daily-export)';
    case 'children': {
      const { parent, versionFields } = strategy;
      const which =
        versionFields.length === 0
          ? 'all parents on every sync'
          : `parents whose ${versionFields.map(quote).join(' or ')} has changed`;
      return `[children](#children) of \`${parent}\`, for ${which}`;
    }
  }
}

function describeLookback({ lookbackDays, rereadSyncs }: ChangedSinceStrategy): string {
  if (lookbackDays === 0) return '';
  const reread =
    rereadSyncs === undefined ? '' : `; reread of the complete list, in parts, over ${rereadSyncs} or more syncs`;
  return `; lookback window of ${lookbackDays} days${reread}`;
}

function describeDeletions({ strategy, views, detail }: ObjectSpec): string {
  if (strategy.kind === 'full-list') return '`missing`, on every sync';
  if (strategy.kind === 'daily-export') return 'none: entries are never deleted';
  if (strategy.kind === 'children') return '`missing`, when the parent is read';
  const listed = views.flatMap((view) => (view.deleteKind === null ? [] : [view.deleteKind]));
  const lookups = (detail?.fallbackLookups ?? []).flatMap(({ deleteKind }) =>
    deleteKind === null ? [] : [deleteKind],
  );
  const audited = detail === null ? ['missing'] : [...lookups, 'not_found'];
  const onSync = listed.length === 0 ? '' : `${listed.map(quote).join(', ')}, on every sync; `;
  return `${onSync}${audited.map(quote).join(', ')}, on every [audit](#audits)`;
}

function describeCredits(object: ObjectSpec): string {
  if (object.strategy.kind === 'daily-export') return '1 per day';
  const perPage = `${getListCredits(object)} per page of ${object.pageSize} records`;
  return object.strategy.kind === 'children' ? `${perPage}, at least one page per parent` : perPage;
}

function describeRequirements({ permission, feature }: ObjectSpec): string {
  const key =
    permission === 'admin'
      ? 'API key of an admin'
      : 'API key of any agent (the agent’s ticket scope can limit the records)';
  return feature === null ? key : `${key}; plan with the feature “${feature}”`;
}

function describeDetail(detail: NonNullable<ObjectSpec['detail']>): string {
  const credits = getRecordCredits(detail);
  const columns = detail.columns.map(quote).join(', ');
  return `optional, for ${credits} ${credits === 1 ? 'credit' : 'credits'} per record: ${columns}`;
}

function renderColumn({ name, type, description, values, references, isOwner, optional }: CatalogueColumn): string {
  const notes = [description];
  if (values !== null)
    notes.push(
      `Values: ${Object.entries(values)
        .map(([value, label]) => `${value} ${label}`)
        .join(', ')}.`,
    );
  if (references !== null)
    notes.push(`References \`${references}\`.${isOwner ? ' Erased together with the referenced record.' : ''}`);
  if (optional) notes.push('Not available in all accounts.');
  return `| \`${name}\` | ${type} | ${notes.join(' ').replaceAll('|', '\\|')} |\n`;
}

function quote(name: string): string {
  return `\`${name}\``;
}

const target = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/objects.md', import.meta.url));
writeFileSync(target, `${INTRODUCTION}\n${catalogue.map(renderSection).join('\n')}`);
