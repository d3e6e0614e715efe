import type { ErrorComponentProps } from '@tanstack/react-router';
import { PageHeader, TextLink } from '../components/page.tsx';
import { Empty, ErrorState } from '../components/states.tsx';

export function NotFound() {
  return (
    <>
      <PageHeader title="Page not found" help="console" />
      <Empty title="This page does not exist" icon="search" action={<TextLink to="/">Go to the pipelines</TextLink>}>
        The address may be incomplete, or the page was moved.
      </Empty>
    </>
  );
}

/**
 * An error while a page is rendered or loaded. After an update of the deployment, the files of the
 * previous version no longer exist, and only a reload helps.
 */
export function RouteError({ error }: ErrorComponentProps) {
  return (
    <ErrorState error={error instanceof Error ? error : new Error(String(error))} retry={() => location.reload()} />
  );
}
