import { COLUMN_TYPES, OBJECT_AVAILABILITIES } from '@freshet/contracts';
import { Type } from 'typebox';
import { change, count, enumeration, id, name, nullable, object, ref, text, time } from '../../http/schemas.ts';
import { fieldRules, maxStaleness } from '../pipelines/schemas.ts';

export const RebuildStarted = name(
  'RebuildStarted',
  object(
    {
      run_id: id('The run that loads it'),
      batches: count('Batches that are loaded once more.'),
      records: count('Records in them.'),
      reaches_back_to: time('When the oldest of them was read: rows that were last read before it stay as they are.'),
      whole: Type.Boolean({
        description:
          'What is stored begins with a whole reading, so that every row is written again. If not, restart the object to read the rest.',
      }),
    },
    { description: 'A rebuild that was started.' },
  ),
);

export const PositionChange = name(
  'PositionChange',
  object(
    { changed_since: time('Changes since this moment are read. Not in the future.') },
    { description: 'Where an object is to be read from.' },
  ),
);

const ObjectAvailability = enumeration(
  'ObjectAvailability',
  OBJECT_AVAILABILITIES,
  '`forbidden`: the key has no permission to read it. `not_in_plan`: the plan of the account lacks it. `unknown`: no run has requested it yet.',
);

const pipelineObject = {
  object: text('The object.'),
  table: text('Its table in the warehouse, with its schema.'),
  included: Type.Boolean({ description: 'Whether it is read.' }),
  detail: Type.Boolean({ description: 'Whether its records are completed by what only their own addresses show.' }),
  history: Type.Boolean({ description: 'Whether every version of its rows is kept.' }),
  columns: fieldRules,
  max_staleness_minutes: nullable(maxStaleness),
  stale_since: nullable(time('Its table has been further behind than it may be since then; null: it is not.')),
  completing_since: nullable(
    time(
      'Since then rows of the table have lacked values of a column that was added or changed. They are being written again. Null: no value is missing.',
    ),
  ),
  availability: ref(ObjectAvailability),
  availability_message: nullable(text('Why the object cannot be read. Null: it can, or it is unknown.')),
  complete_as_of: nullable(time('The warehouse holds every change up to then.')),
  complete_back_to: nullable(time('… and from then on. The year 1970: from the beginning.')),
};

export const PipelineObject = name(
  'PipelineObject',
  object(pipelineObject, { description: 'What lasts of an object from run to run.' }),
);

export const PositionChanged = name(
  'PositionChanged',
  object(
    {
      ...pipelineObject,
      unread_from: nullable(
        time(
          'Changes between `unread_from` and `unread_to` are skipped: the position was moved forward over them. The year 1970: from the beginning. Null: none.',
        ),
      ),
      unread_to: nullable(time('End of the skipped interval. Null: none.')),
    },
    { description: 'An object whose position was changed, and the changes that are not read because of it.' },
  ),
);

export const PipelineObjectChange = change(
  'PipelineObjectChange',
  {
    included: Type.Optional(Type.Boolean({ description: 'Whether the object is read.' })),
    detail: Type.Optional(
      Type.Boolean({ description: 'Whether its records are completed by what only their own addresses show.' }),
    ),
    history: Type.Optional(
      Type.Boolean({ description: 'Whether every version of its rows is kept, in a table beside its own.' }),
    ),
    columns: Type.Optional(fieldRules),
    max_staleness_minutes: Type.Optional(nullable(maxStaleness)),
  },
  PipelineObject,
  {
    description:
      'Fields to change. If `max_staleness_minutes` is null, the freshness of the object is no longer monitored.',
  },
);

export const PipelineObjects = name(
  'PipelineObjectList',
  object(
    { data: Type.Array(ref(PipelineObject), { description: 'Each object, by name.' }) },
    { description: 'The objects of a pipeline.' },
  ),
);

const ColumnType = enumeration('ColumnType', COLUMN_TYPES, 'PostgreSQL’s type.');

const CatalogColumn = name(
  'CatalogColumn',
  object(
    {
      name: text('The column.'),
      type: ref(ColumnType),
      description: text('What it holds.'),
      nullable: Type.Boolean({ description: 'May be null.' }),
      optional: Type.Boolean({ description: 'May be missing in an answer.' }),
      values: nullable(Type.Record(Type.String(), Type.String(), { description: 'What each value means.' })),
      references: nullable(text('The object whose key it is.')),
    },
    { description: 'A column that an object always has.' },
  ),
);

const CatalogObject = name(
  'CatalogObject',
  object(
    {
      name: text('The object, and its table.'),
      title: text('Its name for people.'),
      description: text('What it holds.'),
      docs: text('The vendor’s page.', { format: 'uri' }),
      way: text('How it is read: `keyset`, `since`, `sweep` or `children`.'),
      parent: nullable(text('The object that it stands below.')),
      permission: text('Whose key may read it: any `agent`’s, or an `admin`’s.'),
      feature: nullable(text('The feature of the plan that it needs.')),
      included_by_default: Type.Boolean({ description: 'Part of a new pipeline.' }),
      detail_columns: Type.Array(Type.String(), {
        description: 'Columns that only `detail` fills; none: it cannot be read in detail.',
      }),
      primary_key: Type.Array(Type.String(), { description: 'Columns that identify a record.' }),
      columns: Type.Array(ref(CatalogColumn), {
        description: 'Its columns; the account’s own fields come in addition.',
      }),
    },
    { description: 'A kind of Freshdesk data.' },
  ),
);

export const CatalogObjects = name(
  'CatalogObjectList',
  object(
    { data: Type.Array(ref(CatalogObject), { description: 'Each object, by name.' }) },
    { description: 'The catalogue.' },
  ),
);
