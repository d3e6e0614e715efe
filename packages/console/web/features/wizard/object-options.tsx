import { Checkbox, Group } from '@mantine/core';
import type { Schemas } from '../../api/client.ts';
import type { Draft } from './draft-storage.ts';
import type { StepProps } from './use-draft.ts';

interface ObjectOptionsProps {
  readonly object: Schemas['CatalogObject'];
  readonly draft: Draft;
  readonly update: StepProps['update'];
}

/** The options of an included object: a request per record, and a table with all versions. */
export function ObjectOptions({ object, draft, update }: ObjectOptionsProps) {
  const toggle = (list: readonly string[]) =>
    list.includes(object.name) ? list.filter((name) => name !== object.name) : [...list, object.name];
  const hasDetails = object.detail_columns.length > 0;
  return (
    <details className="options">
      <summary>
        Options<span className="sr-only"> of {object.title}</span>
      </summary>
      <Group gap="md" mt={6}>
        {hasDetails ? (
          <Checkbox
            label="All fields"
            description={`One request per record, for ${object.detail_columns.join(', ')}`}
            checked={draft.detail.includes(object.name)}
            onChange={() => update({ detail: toggle(draft.detail) })}
          />
        ) : null}
        <Checkbox
          label="Keep history"
          description="A second table with every version of a row"
          checked={draft.history.includes(object.name)}
          onChange={() => update({ history: toggle(draft.history) })}
        />
      </Group>
    </details>
  );
}
