import { expect, test } from 'vitest';
import { describeMissingPermission } from './guarded.tsx';

test('a missing permission is stated with the least powerful role that includes it', () => {
  expect(describeMissingPermission({ role: 'observer', scopes: null }, 'run')).toContain(
    'the role pipeline_admin includes',
  );
  expect(describeMissingPermission({ role: 'pipeline_admin', scopes: ['read'] }, 'manage_connections')).toMatch(
    /restricted by scopes.*team_collaborator/,
  );
});
