import type { ObjectSettings, Pipeline, PipelineObject as StoredObject } from '@freshet/control-store';
import type { ObjectSpec } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import type { FieldProblem } from '../../http/field-problems.ts';
import { compareWithCurrent } from '../../http/read-only-fields.ts';
import { toPipelineObjectJson } from './json.ts';
import { PipelineObjectUpdate } from './schemas.ts';

export type ObjectUpdate = Static<typeof PipelineObjectUpdate>;

/** The current state of an object of a pipeline. */
export interface CurrentObject {
  readonly pipeline: Pipeline;
  readonly object: ObjectSpec;
  /** The states of the pipeline's objects. */
  readonly states: readonly StoredObject[];
}

/**
 * Compares an update with the current state of the object. If an object is included by default,
 * `included: true` counts as a change, because the client includes the object explicitly. It does
 * not count as a change if the client sends back a representation that it received from the API.
 * Only such a body contains the read-only field `object`.
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

/** Returns the settings of an object after an update. */
export function mergeSettings(pipeline: Pipeline, object: ObjectSpec, changes: ObjectUpdate): ObjectSettings {
  const current: ObjectSettings = pipeline.objects[object.name] ?? { included: object.includedByDefault };
  const { max_staleness_minutes: currentStaleness, ...currentSettings } = current;
  const { max_staleness_minutes: staleness = currentStaleness, ...settings } = changes;
  return { ...currentSettings, ...settings, ...(staleness == null ? {} : { max_staleness_minutes: staleness }) };
}
