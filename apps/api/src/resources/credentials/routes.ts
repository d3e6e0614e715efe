import type { Credential as StoredCredential } from '@freshet/control-store';
import { type Static, Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { resourceRoutes } from '../../http/resource-routes.ts';
import { Credential, CredentialChange, CredentialInput, CredentialList, CredentialType } from './schemas.ts';

export function credentialRoutes(app: App, { store: { credentials } }: Deps): void {
  resourceRoutes<StoredCredential>(app, {
    path: 'credentials',
    noun: 'Credential',
    plural: 'Credentials',
    tag: 'credentials',
    manage: 'manage_connections',
    said: {
      create: ['Keep a secret', 'Encrypts the secret and keeps it. It is never sent back in any form.'],
      list: ['List credentials', 'Newest first.'],
      get: ['Read a credential', 'Everything but the secret.'],
      change: [
        'Rename or rotate',
        'A new secret is used from the next call on by everything that uses the credential.',
      ],
      delete: ['Delete a credential', 'Refused while something uses it; the answer names what does.'],
    },
    shapes: { input: CredentialInput, change: CredentialChange, output: Credential, list: CredentialList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Only the one of this name.' })),
      type: Type.Optional(
        Type.Unsafe<string>({ ...CredentialType, $id: undefined, description: 'Only those of this type.' }),
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
    findProblems: (changes: Static<typeof CredentialChange>, current) => {
      if (current === null) return [];
      const [right, wrong] = current.type === 'freshdesk_api_key' ? ['api_key', 'password'] : ['password', 'api_key'];
      return wrong in changes
        ? [{ pointer: `/${wrong}`, detail: `${wrong}: this credential is a ${current.type}; its secret is ${right}.` }]
        : [];
    },
    change: (id, { name, api_key, password }: Static<typeof CredentialChange>, expected) =>
      credentials.change(id, { name, secret: api_key ?? password }, expected),
    delete: (id, expected) => credentials.delete(id, expected),
    toJson,
  });
}

function toJson(c: StoredCredential) {
  return {
    id: c.id,
    name: c.name,
    type: c.type,
    hint: c.hint,
    rotated_at: c.rotated_at.toISOString(),
    created_at: c.created_at.toISOString(),
    updated_at: c.updated_at.toISOString(),
  };
}
