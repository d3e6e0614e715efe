import { AppError, toAppError } from '@freshet/contracts';
import type { Pipeline as StoredPipeline } from '@freshet/control-store';
import { buildPosition, getObject, isObjectName, parseSubdomain } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import { withWarehouse } from '../../connections/warehouse.ts';
import { DEFAULT_FREQUENCY, type Deps } from '../../context.ts';
import type { PipelineInput, PipelineUpdate } from './schemas.ts';

export const DEFAULT_HISTORICAL_SYNC_DAYS = 30;
export const DEFAULT_CREDIT_SHARE_PERCENT = 80;
const DEFAULT_AUDIT_FREQUENCY_DAYS = 7;

/**
 * Creates a pipeline.
 * @param input a validated request.
 * @throws AppError `conflict` with a pointer to the field, if a name is already in use or the
 * tables cannot be adopted.
 */
export async function createPipeline(
  deps: Deps,
  { source, ...input }: Static<typeof PipelineInput>,
): Promise<StoredPipeline> {
  const { store, frequency = DEFAULT_FREQUENCY } = deps;
  const subdomain = parseSubdomain(source.subdomain);
  // Null is a valid value of these two settings, so the defaults apply only to missing fields.
  const { historical_sync_days = DEFAULT_HISTORICAL_SYNC_DAYS } = source;
  const { audit_frequency_days = DEFAULT_AUDIT_FREQUENCY_DAYS } = input;
  const pipeline = await store.pipelines.create({
    name: input.name,
    subdomain,
    credential_id: source.credential_id,
    historical_sync_days,
    credit_share_percent: source.credit_share_percent ?? DEFAULT_CREDIT_SHARE_PERCENT,
    destination_id: input.destination_id,
    destination_schema: input.destination_schema ?? `freshdesk_${subdomain.replaceAll('-', '_')}`.slice(0, 63),
    table_prefix: input.table_prefix ?? '',
    frequency_minutes: input.frequency_minutes ?? frequency.default,
    audit_frequency_days,
    objects: input.objects ?? {},
    schema_policy: input.schema_policy ?? 'evolve',
    priority: input.priority ?? 'normal',
    schedule: input.schedule ?? null,
    record_spike: input.record_spike ?? null,
    monthly_quota: input.monthly_quota ?? null,
    analytics: input.analytics ?? false,
    analytics_time_zone: input.analytics_time_zone ?? null,
  });
  if (input.adopt === true) await adoptTables(deps, pipeline);
  return pipeline;
}

/**
 * Updates a pipeline.
 * @param changes validated fields that differ from the pipeline.
 * @param expectedVersion null: any version.
 * @throws AppError `conflict` with a pointer to the field, `precondition_failed`.
 */
export async function updatePipeline(
  { store: { pipelines } }: Deps,
  id: string,
  { source = {}, ...changes }: Static<typeof PipelineUpdate>,
  expectedVersion: number | null,
): Promise<StoredPipeline> {
  return pipelines.update(id, { ...changes, ...source }, expectedVersion);
}

/**
 * Continues a new pipeline from the coverage that is stored for its tables in the warehouse.
 * @throws AppError `conflict` if the warehouse cannot be read or has no such tables.
 */
async function adoptTables(deps: Deps, pipeline: StoredPipeline): Promise<void> {
  const { pipelines, destinations } = deps.store;
  const { destination_schema: schema, table_prefix: prefix } = pipeline;
  const createConflict = (cause: string) =>
    new AppError('conflict', `adopt: ${cause}`, { context: { pointer: '/adopt' } });
  const destination = await destinations.get(pipeline.destination_id);
  const tables = await withWarehouse(deps, destination, (warehouse) => warehouse.listCoverage(schema, prefix)).catch(
    (error: unknown) => {
      throw createConflict(toAppError(error).message);
    },
  );
  if (tables.length === 0)
    throw createConflict(`the schema ${schema} has no tables with stored coverage. Create the pipeline without adopt.`);
  const coverage = tables.filter(({ object }) => isObjectName(object));
  await pipelines.adoptObjects(
    pipeline.id,
    coverage.flatMap(({ object, completeAsOf, completeBackTo }) => {
      const position = buildPosition(getObject(object), completeBackTo, completeAsOf);
      return position === null ? [] : [{ object, position, completeAsOf, completeBackTo }];
    }),
  );
}
