import type { Token as StoredToken } from '@freshet/control-store';
import type { Permission } from '../../http/permissions.ts';

export function toTokenJson(token: StoredToken) {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    scopes: token.scopes as Permission[] | null,
    expires_at: token.expires_at?.toISOString() ?? null,
    last_used_at: token.last_used_at?.toISOString() ?? null,
    rotated_at: token.rotated_at.toISOString(),
    previous_until: token.previous_until?.toISOString() ?? null,
    created_at: token.created_at.toISOString(),
    updated_at: token.updated_at.toISOString(),
  };
}
