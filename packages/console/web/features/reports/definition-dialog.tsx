import { Modal, Stack, Text, Title } from '@mantine/core';
import { CodeBlock } from '../../components/copy.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { insertArguments, type ReportResult } from './report-values.ts';

/** The maximum number of rows that the API returns. */
const ROWS_MAX = 10_000;

interface DefinitionDialogProps {
  readonly title: string;
  readonly result: ReportResult;
  readonly onClose: () => void;
}

/** How the values of a report are calculated: the definitions of its columns, and its query. */
export function DefinitionDialog({ title, result, onClose }: DefinitionDialogProps) {
  return (
    <Modal opened onClose={onClose} title={`Definition and SQL: ${title}`} size="xl">
      <Stack gap="md">
        <Text size="sm">{result.description}</Text>
        <div>
          <Title order={3} mb={4}>
            SQL
          </Title>
          <Text size="sm" c="dimmed" mb="xs">
            You can run this query in the warehouse. It contains the selected period and the time zone.
          </Text>
          <div className="limited">
            <CodeBlock label={`SQL of ${title}`} code={insertArguments(result, ROWS_MAX)} />
          </div>
        </div>
        <div>
          <Title order={3} mb={4}>
            Columns
          </Title>
          <DataTable
            label={`Columns of ${title}`}
            columns={[
              { title: 'Column', cell: ({ name }: ReportResult['columns'][number]) => <code>{name}</code> },
              { title: 'Definition', cell: ({ description }) => description },
            ]}
            rows={result.columns}
            getKey={({ name }) => name}
            minWidth={420}
          />
        </div>
      </Stack>
    </Modal>
  );
}
