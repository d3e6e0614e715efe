import type { Token as StoredToken } from '@freshet/control-store';
import type { Static } from 'typebox';
import type { FieldProblem } from '../../http/field-problems.ts';
import { type Permission, ROLES } from '../../http/permissions.ts';
import type { TokenUpdate } from './schemas.ts';

/** Finds scopes that the role does not include. Such scopes would have no effect. */
export function findScopeProblems(input: Static<typeof TokenUpdate>, current: StoredToken | null): FieldProblem[] {
  const role = input.role ?? current?.role;
  const scopes = input.scopes === undefined ? (current?.scopes ?? null) : input.scopes;
  // A stored token whose scopes exceed its role is valid as long as neither the scopes nor the role
  // change.
  if (role === undefined || scopes === null || (input.role === undefined && input.scopes === undefined)) return [];
  const excessScopes = scopes.filter((scope) => !ROLES[role].includes(scope as Permission));
  if (excessScopes.length === 0) return [];
  const names = excessScopes.map((scope) => `"${scope}"`).join(', ');
  return [
    {
      pointer: '/scopes',
      detail: `scopes: the role ${role} does not include ${names}. Permissions of this role: ${ROLES[role].join(', ')}.`,
    },
  ];
}
