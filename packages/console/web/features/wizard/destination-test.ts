import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, FreshetError, type Schemas } from '../../api/client.ts';
import type { Draft } from './draft-storage.ts';
import type { StepProps } from './use-draft.ts';

interface TestInput {
  readonly isNew: boolean;
  /** Empty: the stored password is used. */
  readonly password: string;
  readonly schema: string;
}

/** Stores the destination of the draft, and tests whether a pipeline can load into the schema. */
export function useDestinationTest(draft: Draft, update: StepProps['update']) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ isNew, password, schema }: TestInput): Promise<Schemas['DestinationTestResult']> => {
      const id = isNew ? await storeDestination(draft, update, password) : (draft.destinationId as string);
      return api().post('/v1/destinations/{id}/test', { params: { path: { id }, query: { schema } } });
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['destinations'] }),
  });
}

/**
 * Creates the credential and the destination, or updates them after a failed test. Each id is
 * stored in the draft immediately, so that a later failure does not create a second one.
 */
async function storeDestination(draft: Draft, update: StepProps['update'], password: string): Promise<string> {
  const credentialId = await storePassword(draft, password);
  update({ passwordCredentialId: credentialId });
  const { name, ssl_ca, ...fields } = draft.destination;
  const body = {
    ...fields,
    name: name.trim(),
    ssl_ca: ssl_ca.trim() === '' ? null : ssl_ca,
    credential_id: credentialId,
  };
  if (draft.destinationId !== null && draft.passwordCredentialId !== null) {
    await api().patch('/v1/destinations/{id}', { params: { path: { id: draft.destinationId } }, body });
    return draft.destinationId;
  }
  const { id } = await api().post('/v1/destinations', { body: { ...body, type: 'postgres' } });
  update({ destinationId: id });
  return id;
}

async function storePassword(draft: Draft, password: string): Promise<string> {
  if (draft.passwordCredentialId !== null) {
    if (password !== '')
      await api().patch('/v1/credentials/{id}', {
        params: { path: { id: draft.passwordCredentialId } },
        body: { password },
      });
    return draft.passwordCredentialId;
  }
  const name = `${draft.destination.name.trim()} password`;
  const create = (unique: string) =>
    api().post('/v1/credentials', { body: { name: unique, type: 'postgres_password', password } });
  try {
    return (await create(name)).id;
  } catch (error) {
    if (!(error instanceof FreshetError && error.status === 409)) throw error;
    return (await create(`${name} (${new Date().toISOString().slice(0, 19).replace('T', ' ')})`)).id;
  }
}
