import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';
import type { DescribedColumn, ModelDocumentation } from '../interface.ts';
import { Header, splitHeader } from './headers.ts';
import { findReferences } from './template.ts';

/** A model: one SQL file of `integrations/dbt/models`. */
export interface Model extends ModelDocumentation {
  /**
   * The rows that a refresh of an incremental model replaces: those of changed tickets, or those of
   * days or months in which a count changed. Null: the model is not incremental.
   */
  readonly refresh: 'ticket' | 'day' | 'month' | null;
  /** All tickets are recomputed if the rows of this table change. */
  readonly affectsTickets: boolean;
  /**
   * Whether the rows of this table depend only on the models that it reads and on the calendar. The
   * rows are recomputed if one of these models has changed, and at least once a day, because the
   * rules of time zones can change.
   */
  readonly isCalendar: boolean;
  readonly indexes: readonly (readonly string[])[];
  /** The table whose custom fields are further columns of the model; null: none. */
  readonly customFieldsOf: string | null;
  readonly sql: string;
  /** The models that the SQL reads. */
  readonly references: readonly string[];
}

const FOLDER = fileURLToPath(new URL('../../../../integrations/dbt/models/', import.meta.url));
const REFRESH_KINDS = ['ticket', 'day', 'month'];

let models: readonly Model[] | null = null;

/** Returns all models. A model comes after the models that it reads. */
export function loadModels(): readonly Model[] {
  models ??= sortByReferences(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.sql'))
      .sort()
      .map((file) => parseModel(file, readFileSync(`${FOLDER}${file}`, 'utf8'))),
  );
  return models;
}

/** Parses the file of a model. */
function parseModel(file: string, content: string): Model {
  const { header: fields, sql } = splitHeader(file, content);
  const header = new Header(file, fields);
  const materialized = header.getText('materialized');
  const refresh = header.getOptionalText('refresh');
  if (materialized !== 'view' && materialized !== 'table' && materialized !== 'incremental')
    throw new AppError('bug', `${file}: materialized must be view, table or incremental.`);
  if ((materialized === 'incremental') !== (refresh !== null && REFRESH_KINDS.includes(refresh)))
    throw new AppError('bug', `${file}: an incremental model, and no other model, has refresh: ticket, day or month.`);
  return {
    name: file.replace(/\.sql$/, ''),
    grain: header.getText('grain'),
    description: header.getText('description'),
    materialized,
    refresh: refresh as Model['refresh'],
    affectsTickets: header.isSet('affects_tickets'),
    isCalendar: header.isSet('calendar'),
    internal: header.isSet('internal'),
    key: header.getList('key'),
    indexes: header.getList<readonly string[]>('indexes'),
    customFieldsOf: header.getOptionalText('custom_fields'),
    columns: header.getColumns() as readonly DescribedColumn[],
    sql,
    references: findReferences(sql),
  };
}

function sortByReferences(unsorted: readonly Model[]): Model[] {
  const byName = new Map(unsorted.map((model) => [model.name, model]));
  const sorted = new Set<Model>();
  const add = (model: Model, path: readonly string[]) => {
    if (sorted.has(model)) return;
    if (path.includes(model.name)) throw new AppError('bug', `The models ${path.join(', ')} refer to each other.`);
    for (const name of model.references) {
      const reference = byName.get(name);
      if (reference === undefined) throw new AppError('bug', `${model.name} refers to an unknown model: ${name}.`);
      add(reference, [...path, model.name]);
    }
    sorted.add(model);
  };
  for (const model of unsorted) add(model, []);
  return [...sorted];
}
