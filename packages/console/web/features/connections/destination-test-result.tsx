import { Stack, Text } from '@mantine/core';
import type { Schemas } from '../../api/client.ts';
import { CodeBlock } from '../../components/copy.tsx';
import { Notice } from '../../components/notice.tsx';

interface DestinationTestResultProps {
  readonly result: Schemas['DestinationTestResult'];
  readonly schema: string;
}

/** The result of the test of a warehouse, with the SQL that fixes missing privileges. */
export function DestinationTestResult({ result, schema }: DestinationTestResultProps) {
  if (result.usable)
    return (
      <Notice tone="good">
        <strong>The warehouse works.</strong> PostgreSQL {result.server_version}. The role can create tables in the
        schema {schema}.
      </Notice>
    );
  if (result.error !== null)
    return (
      <div role="alert">
        <Notice tone="failed">
          <strong>The warehouse cannot be used.</strong> {result.error.message}
        </Notice>
      </div>
    );
  return (
    <Stack gap="xs" role="alert">
      <Notice tone="attention">
        <strong>The connection works, but the role lacks privileges.</strong> Run this SQL as the owner of the database,
        then test again.
      </Notice>
      <CodeBlock label="SQL that grants the missing privileges" code={result.missing_grants.join('\n')} />
      <Text size="sm" c="dimmed">
        PostgreSQL {result.server_version}
      </Text>
    </Stack>
  );
}
