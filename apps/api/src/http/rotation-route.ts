import type { TSchema } from 'typebox';
import type { App } from '../context.ts';
import { operation, parseIfMatch, problemResponses, response, setEtag } from './operation.ts';
import type { Permission } from './permissions.ts';
import { IdParams, IfMatch, RotationInput, ref } from './schemas.ts';

const DEFAULT_OVERLAP_MINUTES = 60;

/** A route that rotates the secret of a resource. */
export interface RotationDefinition<S extends { readonly version: number }> {
  /** The path segment of the resource, such as `tokens`. */
  readonly path: string;
  readonly tag: string;
  readonly permission: Permission;
  readonly operation: { readonly operationId: string; readonly summary: string; readonly description: string };
  /** The schema of the response, which contains the resource and the new secret. */
  readonly schema: TSchema;
  get(id: string): Promise<S>;
  /** @param expectedVersion null: any version. @returns the resource, and the new secret. */
  rotate(
    id: string,
    overlapMinutes: number,
    expectedVersion: number | null,
  ): Promise<{ readonly stored: S; readonly oneTimeFields: object }>;
  readonly toJson: (stored: S) => object;
}

/** Registers `POST /v1/{path}/{id}/rotate`. */
export function registerRotationRoute<S extends { readonly version: number }>(
  app: App,
  { path, tag, permission, schema, toJson, ...rotation }: RotationDefinition<S>,
): void {
  app.post(
    `/v1/${path}/:id/rotate`,
    {
      config: {
        permission,
        getPreviousState: async ({ params }) => toJson(await rotation.get((params as { id: string }).id)),
      },
      schema: {
        ...operation({ ...rotation.operation, tags: [tag] }),
        params: IdParams,
        headers: IfMatch,
        body: ref(RotationInput),
        response: { 200: response('The resource with its new secret.', schema), ...problemResponses(404, 412) },
      },
    },
    async ({ params, body, headers }, reply) => {
      const overlapMinutes = body.overlap_minutes ?? DEFAULT_OVERLAP_MINUTES;
      const { stored, oneTimeFields } = await rotation.rotate(params.id, overlapMinutes, parseIfMatch(headers));
      setEtag(reply, stored.version);
      return { ...toJson(stored), ...oneTimeFields };
    },
  );
}
