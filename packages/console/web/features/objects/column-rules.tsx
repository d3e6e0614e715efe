import { Checkbox, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { useAction } from '../../components/actions.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { ActionError } from '../../components/states.tsx';

type FieldRule = Schemas['FieldRule'];
type Rules = Readonly<Record<string, FieldRule>>;

interface ColumnRulesProps {
  readonly pipelineId: string;
  readonly object: Schemas['PipelineObject'];
  readonly spec: Schemas['CatalogObject'];
}

/** Renames, drops or hashes columns. Rules apply to records that are read from now on. */
export function ColumnRules({ pipelineId, object, spec }: ColumnRulesProps) {
  const [rules, setRules] = useState<Rules>(object.columns);
  const save = useAction(
    () =>
      api().patch('/v1/pipelines/{id}/objects/{object}', {
        params: { path: { id: pipelineId, object: object.object } },
        body: { columns: rules },
      }),
    { done: `Saved the columns of ${object.object}.`, toastErrors: false },
  );
  const change = (name: string, rule: FieldRule) => setRules({ ...rules, [name]: rule });
  const others = Object.keys(object.columns).filter((field) => !spec.columns.some(({ name }) => name === field));
  const rows = [
    ...spec.columns.map(({ name, type, description }) => ({ name, type: type as string, description })),
    ...others.map((name) => ({ name, type: '', description: 'A field with a rule.' })),
  ];
  const isChanged = JSON.stringify(rules) !== JSON.stringify(object.columns);
  return (
    <details>
      <summary>Columns: rename, drop or hash</summary>
      <Stack gap="sm" mt="sm">
        <Title order={3} className="sr-only">
          Columns
        </Title>
        <Text size="sm" c="dimmed">
          Rules apply to records that are read from now on. Restart the object to apply them to all rows. A hash hides a
          value, but equal values stay equal.
        </Text>
        <DataTable
          label={`Columns of ${object.object}`}
          rows={rows}
          getKey={({ name }) => name}
          minWidth={520}
          columns={[
            {
              title: 'Column',
              cell: ({ name, type }) => (
                <>
                  <span className="object-name">{name}</span>
                  <Text size="xs" c="dimmed">
                    {type}
                  </Text>
                </>
              ),
            },
            {
              title: 'Name in the table',
              cell: ({ name }) => (
                <TextInput
                  size="xs"
                  aria-label={`Name of ${name} in the table`}
                  placeholder={name}
                  value={rules[name]?.rename ?? ''}
                  onChange={(event) => change(name, withRename(rules[name], event.currentTarget.value))}
                />
              ),
            },
            {
              title: 'Drop',
              cell: ({ name }) => (
                <Checkbox
                  aria-label={`Drop ${name}`}
                  checked={rules[name]?.drop ?? false}
                  onChange={(event) => change(name, { ...rules[name], drop: event.currentTarget.checked })}
                />
              ),
            },
            {
              title: 'Hash',
              cell: ({ name }) => (
                <Checkbox
                  aria-label={`Hash ${name}`}
                  checked={rules[name]?.hash ?? false}
                  onChange={(event) => change(name, { ...rules[name], hash: event.currentTarget.checked })}
                />
              ),
            },
          ]}
        />
        <ActionError error={save.error} />
        <div>
          <GuardedButton
            permission="manage_pipelines"
            disabled={!isChanged}
            loading={save.isPending}
            onClick={() => save.mutate()}
          >
            Save columns
          </GuardedButton>
        </div>
      </Stack>
    </details>
  );
}

/** Sets or removes the name of a column in the table. */
function withRename(rule: FieldRule | undefined, rename: string): FieldRule {
  const { rename: _, ...rest } = rule ?? {};
  return rename === '' ? rest : { ...rest, rename };
}
