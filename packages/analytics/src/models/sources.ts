import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A table that the models read, as `sources.yml` declares it. */
export interface SourceTable {
  readonly name: string;
  readonly description: string | null;
  /**
   * `freshdesk`: a table of the pipeline. `freshet`: a table of the loader. `freshet_settings`: a
   * table of the user.
   */
  readonly kind: 'freshdesk' | 'freshet' | 'freshet_settings';
  readonly columns: readonly { readonly name: string; readonly type: string; readonly description: string | null }[];
}

interface SourcesFile {
  readonly sources: readonly {
    readonly name: SourceTable['kind'];
    readonly tables: readonly {
      readonly name: string;
      readonly description?: string;
      readonly columns: readonly { readonly name: string; readonly data_type: string; readonly description?: string }[];
    }[];
  }[];
}

let sources: ReadonlyMap<string, SourceTable> | null = null;

/** Returns the tables that the models read, by name. */
export function loadSources(): ReadonlyMap<string, SourceTable> {
  if (sources !== null) return sources;
  const file = new URL('../../../../integrations/dbt/models/sources.yml', import.meta.url);
  const { sources: groups } = parse(readFileSync(file, 'utf8')) as SourcesFile;
  const tables = groups.flatMap(({ name: kind, tables: members }) =>
    members.map(({ name, description, columns }) => ({
      name,
      kind,
      description: description ?? null,
      columns: columns.map((c) => ({ name: c.name, type: c.data_type, description: c.description ?? null })),
    })),
  );
  sources = new Map(tables.map((table) => [table.name, table]));
  return sources;
}
