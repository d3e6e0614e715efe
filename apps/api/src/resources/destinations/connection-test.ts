import { toAppError } from '@freshet/contracts';
import type { Destination as StoredDestination } from '@freshet/control-store';
import type { Static } from 'typebox';
import { withWarehouse } from '../../connections/warehouse.ts';
import type { Deps } from '../../context.ts';
import type { DestinationTestResult } from './schemas.ts';

/**
 * Tests whether a pipeline can load into a schema of the warehouse. A failure is part of the
 * result.
 */
export async function testDestination(
  deps: Deps,
  destination: StoredDestination,
  schema: string,
): Promise<Static<typeof DestinationTestResult>> {
  try {
    const result = await withWarehouse(deps, destination, (warehouse) => warehouse.test(schema));
    return {
      usable: result.isUsable,
      server_version: result.serverVersion,
      missing_grants: [...result.missingGrants],
      error: null,
    };
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    return { usable: false, server_version: null, missing_grants: [], error: { code, message } };
  }
}
