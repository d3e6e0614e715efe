import { createHash } from 'node:crypto';
import type { AnalyticsTarget } from './interface.ts';

/** PostgreSQL truncates identifiers to this many bytes. */
const IDENTIFIER_BYTES_MAX = 63;
const SUFFIX = '_analytics';

/** Quotes an SQL identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string as an SQL literal. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // In an E literal, the meaning of a backslash does not depend on the settings of the server.
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/**
 * Returns the name of the schema of the models. If the name would be too long for PostgreSQL, a
 * hash replaces its middle part.
 */
export function getAnalyticsSchema(schema: string): string {
  const name = `${schema}${SUFFIX}`;
  if (Buffer.byteLength(name) <= IDENTIFIER_BYTES_MAX) return name;
  const hash = createHash('sha256').update(schema).digest('hex').slice(0, 8);
  const bytesMax = IDENTIFIER_BYTES_MAX - SUFFIX.length - hash.length - 1;
  let start = schema;
  while (Buffer.byteLength(start) > bytesMax) start = Array.from(start).slice(0, -1).join('');
  return `${start}_${hash}${SUFFIX}`;
}

/** The names of relations in the warehouse, quoted for SQL. */
export class Names {
  /** The schema of the models, without quotes. */
  readonly analyticsSchema: string;
  readonly target: AnalyticsTarget;

  constructor(target: AnalyticsTarget) {
    this.target = target;
    this.analyticsSchema = getAnalyticsSchema(target.schema);
  }

  /** The schema of the models. */
  get schema(): string {
    return quote(this.analyticsSchema);
  }

  /** A table of the pipeline. */
  source(table: string): string {
    return `${quote(this.target.schema)}.${quote(`${this.target.tablePrefix}${table}`)}`;
  }

  /** A table of the loader, which has no table prefix. */
  ledger(table: string): string {
    return `${quote(this.target.schema)}.${quote(table)}`;
  }

  /** The name of a model, or of a table that belongs to the models, without schema and quotes. */
  relationName(name: string): string {
    return `${this.target.tablePrefix}${name}`;
  }

  /** A model, or a table that belongs to the models. */
  relation(name: string): string {
    return `${this.schema}.${quote(this.relationName(name))}`;
  }
}
