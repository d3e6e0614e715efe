import type { ModelDocumentation } from '../interface.ts';
import { loadModels } from './model.ts';

/** Lists the models, for documentation. A model comes after the models that it reads. */
export function listModels(): readonly ModelDocumentation[] {
  return loadModels().map(({ name, grain, description, materialized, key, columns, internal }) => ({
    name,
    grain,
    description,
    materialized,
    key,
    columns,
    internal,
  }));
}
