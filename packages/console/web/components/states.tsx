/** The states of a page without data: loading, empty, error, forbidden and offline. */
import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { FreshetError } from '../api/client.ts';
import { useSession } from '../app/session.tsx';
import { Icon, type IconName } from './icon.tsx';

export function Loading({ label = 'Loading', rows = 4 }: { readonly label?: string; readonly rows?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={i === 0 ? 28 : 44} width={i === 0 ? '40%' : '100%'} />
      ))}
    </Stack>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly children?: ReactNode;
  /** The button that leads out of the empty state. */
  readonly action?: ReactNode;
  readonly icon?: IconName;
}

export function Empty({ title, children, action, icon }: EmptyProps) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" className="empty">
      {icon ? <Icon name={icon} size={32} /> : null}
      <Text fw={600}>{title}</Text>
      {children ? (
        <Text c="dimmed" ta="center" maw={520}>
          {children}
        </Text>
      ) : null}
      {action}
    </Stack>
  );
}

interface ErrorDescription {
  readonly title: string;
  readonly detail: string;
  readonly icon: IconName;
}

/** Whether the warehouse of a pipeline caused the error. */
function isWarehouseError(error: Error): boolean {
  return error instanceof FreshetError && (error.code.startsWith('warehouse_') || error.code === 'address_refused');
}

/** Describes an error of a request: the title, the cause and the remedy. */
export function describeError(error: Error): ErrorDescription {
  if (!(error instanceof FreshetError))
    return { title: 'The page cannot be displayed', detail: error.message, icon: 'error' };
  switch (error.status) {
    case 0:
      return {
        title: 'Freshet cannot be reached',
        detail: 'Check your network, and that the API process is running. The page tries again every 5 seconds.',
        icon: 'offline',
      };
    case 401:
      return {
        title: 'Your session has ended',
        detail: 'The API token is unknown, was deleted, or has expired. Sign in with a valid token.',
        icon: 'lock',
      };
    case 403:
      return {
        title: 'You do not have access to this page',
        detail: `${error.message} Ask a team admin for a token with a different role.`,
        icon: 'lock',
      };
    case 404:
      return { title: 'Not found', detail: error.message, icon: 'search' };
    default:
      if (isWarehouseError(error))
        return { title: 'The warehouse cannot be read', detail: error.message, icon: 'destinations' };
      return { title: 'The request failed', detail: error.message, icon: 'error' };
  }
}

export function ErrorState({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  const { title, detail, icon } = describeError(error);
  const { signOut } = useSession();
  const requestId = error instanceof FreshetError ? error.requestId : null;
  const isUnauthenticated = error instanceof FreshetError && error.status === 401;
  return (
    <Stack align="center" gap="xs" py="xl" role="alert" className="empty">
      <Icon name={icon} size={32} />
      <Title order={2}>{title}</Title>
      <Text c="dimmed" ta="center" maw={560}>
        {detail}
      </Text>
      {requestId === null ? null : (
        <Text size="xs" c="dimmed">
          Request id <code>{requestId}</code>
        </Text>
      )}
      <Group mt="xs">
        {isUnauthenticated ? <Button onClick={signOut}>Sign in</Button> : null}
        {isWarehouseError(error) ? (
          <Button component={Link} to="/destinations">
            Check the destination
          </Button>
        ) : null}
        {retry && !isUnauthenticated ? (
          <Button variant="default" onClick={retry}>
            Try again
          </Button>
        ) : null}
      </Group>
    </Stack>
  );
}

interface QueryViewProps<T> {
  readonly query: UseQueryResult<T, Error>;
  readonly children: (data: T) => ReactNode;
  readonly rows?: number;
  readonly label?: string;
  /** Whether the notice that the data is not current is hidden, because another view shows it. */
  readonly hidesNotice?: boolean;
}

/**
 * Shows the data of a query, or its loading or error state. If a later request fails, the page
 * keeps its data, and states that the data is not current.
 */
export function QueryView<T>({ query, children, rows, label, hidesNotice = false }: QueryViewProps<T>) {
  const { data, error } = query;
  const retry = () => void query.refetch();
  if (data === undefined) {
    if (error) return <ErrorState error={error} retry={retry} />;
    return <Loading {...(rows === undefined ? {} : { rows })} {...(label === undefined ? {} : { label })} />;
  }
  return (
    <>
      {error && !hidesNotice ? <StaleNotice error={error} since={query.dataUpdatedAt} /> : null}
      {children(data)}
    </>
  );
}

function StaleNotice({ error, since }: { readonly error: Error; readonly since: number }) {
  const { title, detail } = describeError(error);
  return (
    <Alert color="yellow" variant="light" mb="md" title={title} icon={<Icon name="offline" />} role="status">
      {detail} The data on this page are from {new Date(since).toLocaleTimeString('en-GB')}.
    </Alert>
  );
}

/** The error of an action, with the invalid fields and a button that leads on, if there is one. */
export function ActionError({ error, action }: { readonly error: Error | null; readonly action?: ReactNode }) {
  if (error === null) return null;
  const isConflict = error instanceof FreshetError && error.status === 412;
  const { title, detail } = isConflict
    ? {
        title: 'Another user has changed this in the meantime',
        detail:
          'Your changes were not saved, and are still in this form. Load the current values to see what has changed, or overwrite them with yours.',
      }
    : describeError(error);
  const fields = error instanceof FreshetError ? error.errors : [];
  return (
    <Alert color="red" variant="light" title={title} icon={<Icon name="error" />} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{detail}</Text>
        {fields.length > 0 ? (
          <ul className="plain">
            {fields.map((field) => (
              <li key={field.pointer}>{field.detail}</li>
            ))}
          </ul>
        ) : null}
        {action}
      </Stack>
    </Alert>
  );
}
