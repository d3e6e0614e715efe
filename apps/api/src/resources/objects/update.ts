import type { ObjectSettings, Pipeline, PipelineObject as StoredObject } from '@freshet/control-store';
import type { ObjectSpec } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import type { FieldProblem } from '../../http/field-problems.ts';
import { compareWithCurrent } from '../../http/read-only-fields.ts';
import { toPipelineObjectJson } from './json.ts';
import { PipelineObjectUpdate } from './schemas.ts';

export type ObjectUpdate = Static<typeof PipelineObjectUpdate>;

/** An object of a pipeline, as it is stored. */
export interface CurrentObject {
  readonly pipeline: Pipeline;
  readonly object: ObjectSpec;
  /** The state of the pipeline's objects. */
  readonly states: readonly StoredObject[];
}

/**
 * Compares an update with the object as it is stored. `included: true` for an object that is
 * included by default counts as a change, because it names the object explicitly. It does not count
 * in a body that a client got from the API and sends back, which has the read-only field `object`.
 */
export function compareWithObject(
  { pipeline, object, states }: CurrentObject,
  body: ObjectUpdate,
): { readonly changes: ObjectUpdate; readonly problems: readonly FieldProblem[] } {
  const { changes, problems } = compareWithCurrent({
    schema: PipelineObjectUpdate,
    current: toPipelineObjectJson(pipeline, object, states),
    body,
    createdAt: pipeline.created_at,
  });
  const isNamedExplicitly =
    body.included === true && !('object' in body) && pipeline.objects[object.name]?.included !== true;
  return { changes: (isNamedExplicitly ? { ...changes, included: true } : changes) as ObjectUpdate, problems };
}

/** The settings of an object after an update. */
export function mergeSettings(pipeline: Pipeline, object: ObjectSpec, changes: ObjectUpdate): ObjectSettings {
  const current: ObjectSettings = pipeline.objects[object.name] ?? { included: object.includedByDefault };
  const { max_staleness_minutes: currentStaleness, ...currentSettings } = current;
  const { max_staleness_minutes: staleness = currentStaleness, ...settings } = changes;
  return { ...currentSettings, ...settings, ...(staleness == null ? {} : { max_staleness_minutes: staleness }) };
}
