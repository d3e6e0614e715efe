import type { Credential as StoredCredential } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import type { FieldProblem } from '../../http/field-problems.ts';
import { registerResourceRoutes } from '../../http/resource-routes.ts';
import { Credential, CredentialInput, CredentialList, CredentialType, CredentialUpdate } from './schemas.ts';

export function registerCredentialRoutes(app: App, { store: { credentials } }: Deps): void {
  registerResourceRoutes<StoredCredential>(app, {
    path: 'credentials',
    noun: 'Credential',
    plural: 'Credentials',
    tag: 'credentials',
    managePermission: 'manage_connections',
    summaries: {
      create: ['Create a credential', 'Encrypts the secret and stores it. The API never returns the secret.'],
      list: ['List credentials', 'Lists credentials, newest first.'],
      get: ['Get a credential', 'Returns a credential without its secret.'],
      update: [
        'Update a credential',
        'Renames a credential or replaces its secret. Pipelines use a new API key for their next request, and destinations use a new password for their next connection.',
      ],
      delete: [
        'Delete a credential',
        'Deletes a credential. If pipelines or destinations use the credential, the request is rejected with 409. `detail` lists these pipelines and destinations.',
      ],
    },
    schemas: { input: CredentialInput, update: CredentialUpdate, output: Credential, list: CredentialList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Return only the credential with this name.' })),
      type: Type.Optional(
        Type.Unsafe<string>({
          ...CredentialType,
          $id: undefined,
          description: 'Return only credentials of this type.',
        }),
      ),
    },
    create: (body: Static<typeof CredentialInput>) =>
      credentials.create({
        name: body.name,
        type: body.type,
        secret: body.type === 'freshdesk_api_key' ? body.api_key : body.password,
      }),
    list: (options, filter) => credentials.list(options, filter),
    get: (id) => credentials.get(id),
    findProblems: findSecretProblems,
    update: (id, { name, api_key, password }: Static<typeof CredentialUpdate>, expectedVersion) =>
      credentials.update(id, { name, secret: api_key ?? password }, expectedVersion),
    delete: (id, expectedVersion) => credentials.delete(id, expectedVersion),
    toJson: toCredentialJson,
  });
}

/**
 * Finds a secret that does not match the type of the credential. For a creation, the schema has
 * already checked the secret.
 */
function findSecretProblems(
  changes: Static<typeof CredentialUpdate>,
  current: StoredCredential | null,
): readonly FieldProblem[] {
  if (current === null) return [];
  const [expected, unexpected] =
    current.type === 'freshdesk_api_key' ? ['api_key', 'password'] : ['password', 'api_key'];
  if (!(unexpected in changes)) return [];
  const detail = `${unexpected} does not apply to a credential of the type ${current.type}. Send ${expected} instead.`;
  return [{ pointer: `/${unexpected}`, detail }];
}

function toCredentialJson(credential: StoredCredential) {
  return {
    id: credential.id,
    name: credential.name,
    type: credential.type,
    hint: credential.hint,
    rotated_at: credential.rotated_at.toISOString(),
    created_at: credential.created_at.toISOString(),
    updated_at: credential.updated_at.toISOString(),
  };
}
