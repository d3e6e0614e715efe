import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { auditLogQuery } from '../../api/queries.ts';
import { CodeBlock } from '../../components/copy.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Card, PageHeader } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { listChanges } from './changes.ts';

type Entry = Schemas['AuditEntry'];

const DEBOUNCE_MS = 300;

/** Who changed what, and when. */
export function AuditLogPage() {
  const [action, setAction] = useState('');
  const [resource, setResource] = useState('');
  const [filter] = useDebouncedValue({ action: action.trim(), resource: resource.trim() }, DEBOUNCE_MS);
  const [opened, setOpened] = useState<Entry | null>(null);
  const query = useInfiniteQuery(
    auditLogQuery({
      ...(filter.action === '' ? {} : { action: filter.action }),
      ...(filter.resource === '' ? {} : { resource: filter.resource }),
    }),
  );
  const entries = query.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <>
      <PageHeader
        title="Audit log"
        help="auditLog"
        description="Every change that was made through the API or in this console, and every table preview and query."
      />
      <Card>
        <Group gap="sm" mb="sm">
          <TextInput
            aria-label="Action"
            placeholder="Action, such as updatePipeline"
            leftSection={<Icon name="search" size={16} />}
            value={action}
            onChange={(event) => setAction(event.currentTarget.value)}
            w={260}
          />
          <TextInput
            aria-label="Resource"
            placeholder="Resource, such as pipelines/…"
            value={resource}
            onChange={(event) => setResource(event.currentTarget.value)}
            w={260}
          />
        </Group>
        <QueryView query={query as never}>
          {() =>
            entries.length === 0 ? (
              <Empty title="No entry matches" icon="audit">
                Change the filters.
              </Empty>
            ) : (
              <DataTable
                label="Audit log"
                rows={entries}
                getKey={(e) => e.id}
                minWidth={820}
                columns={[
                  { title: 'Time', cell: (e) => <Time value={e.at} format="short" /> },
                  {
                    title: 'Who',
                    cell: (e) => (
                      <>
                        {e.actor.name}
                        <Text size="sm" c="dimmed">
                          {e.actor.role.replaceAll('_', ' ')}, {e.address}
                        </Text>
                      </>
                    ),
                  },
                  { title: 'Action', cell: (e) => <code>{e.action}</code> },
                  { title: 'Resource', cell: (e) => <code className="break">{e.resource}</code> },
                  {
                    title: 'Details',
                    isTitleHidden: true,
                    cell: (e) => (
                      <Button
                        variant="default"
                        size="compact-sm"
                        onClick={() => setOpened(e)}
                        aria-label={`Details of ${e.action}`}
                      >
                        Details
                      </Button>
                    ),
                  },
                ]}
              />
            )
          }
        </QueryView>
        {query.hasNextPage ? (
          <Group justify="center" mt="md">
            <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Load older entries
            </Button>
          </Group>
        ) : null}
      </Card>
      {opened ? <EntryDialog entry={opened} onClose={() => setOpened(null)} /> : null}
    </>
  );
}

function EntryDialog({ entry, onClose }: { readonly entry: Entry; readonly onClose: () => void }) {
  const changes = listChanges(entry.before, entry.after);
  return (
    <Dialog onClose={onClose} title={entry.action} size="lg">
      <Stack gap="sm">
        <Text size="sm">
          <Time value={entry.at} format="full" />, {entry.actor.name}, request <code>{entry.request_id}</code>
        </Text>
        {changes.length === 0 ? (
          <Text c="dimmed">The entry contains no fields.</Text>
        ) : (
          <CodeBlock
            label="Changed fields"
            code={changes.map(({ field, before, after }) => `${field}: ${before} → ${after}`).join('\n')}
          />
        )}
      </Stack>
    </Dialog>
  );
}
