/** Controls that are available only with a permission, and that say which role is required. */
import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { MouseEventHandler, ReactNode } from 'react';
import type { Schemas } from '../api/client.ts';
import { useSession } from '../app/session.tsx';

type Permission = Schemas['Permission'];

/** The roles that include a permission, the least powerful role first. */
const ROLES: Readonly<Record<Permission, string>> = {
  read: 'observer',
  read_records: 'pipeline_admin',
  read_reports: 'pipeline_admin',
  read_warehouse: 'pipeline_admin',
  run: 'pipeline_admin',
  refresh: 'pipeline_admin',
  redrive: 'pipeline_admin',
  manage_pipelines: 'pipeline_admin',
  manage_connections: 'team_collaborator',
  manage_webhooks: 'team_collaborator',
  erase: 'team_admin',
  manage_tokens: 'team_admin',
  read_audit_log: 'team_admin',
};

export interface Access {
  readonly isAllowed: boolean;
  /** Why the control is disabled, and which role is required. Null: the control is available. */
  readonly reason: string | null;
}

/** Returns whether the token has a permission. Until the token is known, controls are enabled. */
export function usePermission(permission: Permission): Access {
  const { token } = useSession();
  if (token === null || token.permissions.includes(permission)) return { isAllowed: true, reason: null };
  return { isAllowed: false, reason: describeMissingPermission(token, permission) };
}

export function describeMissingPermission(
  token: Pick<Schemas['CurrentToken'], 'role' | 'scopes'>,
  permission: Permission,
): string {
  const scopes = token.scopes === null ? '' : ', restricted by scopes';
  return `Your token has the role ${token.role}${scopes}. This action requires the permission ${permission}, which the role ${ROLES[permission]} includes.`;
}

interface GuardedButtonProps extends ButtonProps {
  readonly permission: Permission;
  readonly onClick?: MouseEventHandler<HTMLButtonElement>;
  readonly children: ReactNode;
  readonly type?: 'button' | 'submit';
  readonly 'aria-label'?: string;
}

/**
 * A button that is disabled without the permission. It stays focusable, so that the reason can be
 * read with the keyboard.
 */
export function GuardedButton({ permission, onClick, children, type = 'button', ...props }: GuardedButtonProps) {
  const { isAllowed, reason } = usePermission(permission);
  if (isAllowed)
    return (
      <Button type={type} {...(onClick ? { onClick } : {})} {...props}>
        {children}
      </Button>
    );
  return (
    <Tooltip label={reason}>
      <Button type="button" {...props} data-disabled aria-disabled onClick={(event) => event.preventDefault()}>
        {children}
      </Button>
    </Tooltip>
  );
}
