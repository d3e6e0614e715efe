import type { AnalyticsTarget } from './interface.ts';
import { listModels } from './models/list-models.ts';
import { loadSources } from './models/sources.ts';
import { Names } from './sql.ts';

/** A relation that the installation of the models creates for users. */
export interface AnalyticsRelation {
  readonly schema: string;
  readonly name: string;
  /** `settings`: a table that the user fills. */
  readonly kind: 'model' | 'settings';
  /** Internal models support other models, and can change in any release. */
  readonly internal: boolean;
}

/** Lists the names of the models of a pipeline, and of the tables that its user fills. */
export function listAnalyticsRelations(target: AnalyticsTarget): AnalyticsRelation[] {
  const names = new Names(target);
  const toRelation = (name: string, kind: AnalyticsRelation['kind'], internal: boolean): AnalyticsRelation => ({
    schema: names.analyticsSchema,
    name: names.relationName(name),
    kind,
    internal,
  });
  return [
    ...listModels().map(({ name, internal }) => toRelation(name, 'model', internal)),
    ...[...loadSources().values()]
      .filter(({ kind }) => kind === 'freshet_settings')
      .map(({ name }) => toRelation(name, 'settings', false)),
  ];
}
