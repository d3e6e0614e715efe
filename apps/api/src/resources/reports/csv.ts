import type { DescribedColumn, ReportResult } from '@freshet/analytics';
import { stringify } from 'csv-stringify/sync';

type Value = ReportResult['rows'][number][string];

/** SQL types whose values contain only digits, signs, letters of numbers, and separators. */
const NUMERIC_TYPES = /^(bigint|integer|smallint|numeric|real|double precision)/;
/** Characters with which spreadsheet programs begin a formula. */
const FORMULA_START = /^[=+\-@\t\r]/;

/**
 * Formats the result of a report as CSV (RFC 4180), with a header. Null becomes an empty field. A
 * text that a spreadsheet program would execute as a formula gets an apostrophe in front, because
 * people outside the account write texts such as tags and company names.
 */
export function toCsv({ columns, rows }: Pick<ReportResult, 'columns' | 'rows'>): string {
  return stringify(
    rows.map((row) => columns.map((column) => toField(column, row[column.name] ?? null))),
    { header: true, columns: columns.map(({ name }) => name), record_delimiter: 'windows' },
  );
}

function toField({ type }: DescribedColumn, value: Value): string {
  if (value === null) return '';
  const text = String(value);
  return typeof value === 'string' && !NUMERIC_TYPES.test(type) && FORMULA_START.test(text) ? `'${text}` : text;
}
