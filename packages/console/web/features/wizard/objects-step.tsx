import { Button, Grid, Group, SegmentedControl, Switch, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { catalogQuery } from '../../api/queries.ts';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Icon } from '../../components/icon.tsx';
import { Card } from '../../components/page.tsx';
import { Empty, QueryView } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { formatNumber } from '../../format/numbers.ts';
import { groupObjects, MAIN_GROUPS } from '../objects/groups.ts';
import { EstimatePanel } from './estimate-panel.tsx';
import { ObjectOptions } from './object-options.tsx';
import { getSelectedObjects } from './pipeline-input.ts';
import { accountTestQuery, estimateQuery } from './queries.ts';
import { findPreset, getPresetObjects, type Preset, toggleObject } from './selection.ts';
import { StepButtons } from './step-list.tsx';
import type { StepProps } from './use-draft.ts';

type CatalogObject = Schemas['CatalogObject'];

/** The second step: the objects to replicate, with what each of them costs. */
export function ObjectsStep(props: StepProps) {
  const catalog = useQuery(catalogQuery());
  const test = useQuery(accountTestQuery(props.draft.subdomain, props.draft.credentialId));
  return (
    <QueryView query={catalog} rows={8}>
      {(objects) => (
        <QueryView query={test} rows={8} label="Testing what the API key may read">
          {(result) => <ObjectSelection {...props} catalog={objects} test={result} />}
        </QueryView>
      )}
    </QueryView>
  );
}

interface SelectionProps extends StepProps {
  readonly catalog: readonly CatalogObject[];
  readonly test: Schemas['PipelineTestResult'];
}

function ObjectSelection({ draft, update, onNext, onBack, catalog, test }: SelectionProps) {
  const [search, setSearch] = useState('');
  const access = useMemo(() => new Map(test.objects.map((object) => [object.object, object])), [test]);
  const isReadable = (name: string) => access.get(name)?.verdict === 'available';
  const selected = getSelectedObjects(draft, catalog, isReadable);
  const readable = catalog.filter(({ name }) => isReadable(name));
  const estimate = useQuery(
    estimateQuery({
      subdomain: draft.subdomain,
      credentialId: draft.credentialId ?? '',
      historicalSyncDays: draft.historicalSyncDays,
      // All objects are estimated at once, so that a choice changes the totals without a request.
      objects: Object.fromEntries(
        catalog.map(({ name }) => [name, { included: isReadable(name), detail: draft.detail.includes(name) }]),
      ),
    }),
  );
  const estimates = new Map(estimate.data?.objects.map((object) => [object.object, object]));
  const shown = catalog.filter((object) => matches(object, search));
  return (
    <>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 8 }}>
          <Group justify="space-between" mb="sm" gap="sm">
            <PresetControl selected={selected} catalog={catalog} isReadable={isReadable} update={update} />
            <TextInput
              aria-label="Search objects"
              placeholder={`Search ${catalog.length} objects`}
              leftSection={<Icon name="search" size={16} />}
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
            />
          </Group>
          <Card>
            {shown.length === 0 ? (
              <Empty title="No object matches" icon="search" />
            ) : (
              <DataTable
                label="Objects"
                columns={buildColumns({
                  estimates,
                  access,
                  selected,
                  draft,
                  update,
                  onToggle: (name) => update({ objects: toggleObject(selected, name, catalog).filter(isReadable) }),
                })}
                groups={groupObjects(shown, ({ name }) => name).map((group) =>
                  describeGroup(group, { selected, estimates, isSearch: search.trim() !== '' }),
                )}
                getKey={({ name }) => name}
                minWidth={560}
              />
            )}
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 4 }}>
          <EstimatePanel
            draft={draft}
            update={update}
            selected={selected}
            estimate={estimate}
            test={test}
            readableCount={readable.length}
            totalCount={catalog.length}
          />
        </Grid.Col>
      </Grid>
      <StepButtons onBack={onBack}>
        <Button onClick={onNext} disabled={selected.length === 0}>
          Continue
        </Button>
      </StepButtons>
    </>
  );
}

function matches({ name, title, description }: CatalogObject, search: string): boolean {
  const text = search.trim().toLowerCase();
  return text === '' || [name, title, description].some((value) => value.toLowerCase().includes(text));
}

interface GroupOptions {
  readonly selected: readonly string[];
  readonly estimates: ReadonlyMap<string, Schemas['ObjectEstimate']>;
  readonly isSearch: boolean;
}

/** Adds to a group what is included and what it costs, so that a folded group hides no cost. */
function describeGroup(
  { title, rows }: { readonly title: string; readonly rows: readonly CatalogObject[] },
  { selected, estimates, isSearch }: GroupOptions,
) {
  const included = rows.filter(({ name }) => selected.includes(name));
  const credits = included.reduce((sum, { name }) => sum + (estimates.get(name)?.credits ?? 0), 0);
  return {
    title,
    rows,
    summary: `${included.length} of ${rows.length} included, ${formatNumber(credits)} credits`,
    isFolded: !isSearch && !MAIN_GROUPS.includes(title),
  };
}

interface PresetControlProps {
  readonly selected: readonly string[];
  readonly catalog: readonly CatalogObject[];
  readonly isReadable: (name: string) => boolean;
  readonly update: StepProps['update'];
}

function PresetControl({ selected, catalog, isReadable, update }: PresetControlProps) {
  return (
    <SegmentedControl
      aria-label="Preset"
      value={findPreset(selected, catalog, isReadable)}
      onChange={(value) => {
        const preset = value as Preset;
        if (preset !== 'custom') update({ objects: getPresetObjects(preset, catalog, isReadable) });
      }}
      data={[
        { value: 'recommended', label: 'Recommended' },
        { value: 'everything', label: 'Everything' },
        { value: 'tickets', label: 'Tickets only' },
        { value: 'custom', label: 'Custom' },
      ]}
    />
  );
}

interface ColumnOptions {
  readonly estimates: ReadonlyMap<string, Schemas['ObjectEstimate']>;
  readonly access: ReadonlyMap<string, Schemas['AccountObject']>;
  readonly selected: readonly string[];
  readonly draft: StepProps['draft'];
  readonly update: StepProps['update'];
  readonly onToggle: (name: string) => void;
}

function buildColumns(options: ColumnOptions): Column<CatalogObject>[] {
  const { estimates, access, selected, draft, update, onToggle } = options;
  const isReadable = (name: string) => access.get(name)?.verdict === 'available';
  return [
    {
      title: 'Object',
      cell: (object) => (
        <>
          <Text fw={550}>{object.title}</Text>
          <Text size="sm" c="dimmed" lineClamp={2}>
            {object.description.replaceAll('`', '')}
          </Text>
          {isReadable(object.name) ? null : <Access access={access.get(object.name)} />}
          {selected.includes(object.name) ? <ObjectOptions object={object} draft={draft} update={update} /> : null}
        </>
      ),
    },
    {
      title: 'First sync',
      isNumber: true,
      width: 100,
      cell: ({ name }) => formatCredits(estimates.get(name)?.credits),
    },
    {
      title: 'Each later sync',
      isNumber: true,
      width: 110,
      cell: (object) => (
        <>
          {formatCredits(estimates.get(object.name)?.unchanged_credits)}
          {object.parent === 'tickets' && isReadable(object.name) ? (
            <Text size="xs" c="dimmed">
              + 1 per changed ticket
            </Text>
          ) : null}
        </>
      ),
    },
    {
      title: 'Include',
      isNumber: true,
      width: 80,
      cell: ({ name, title }) => (
        <Switch
          aria-label={`Include ${title}`}
          checked={selected.includes(name)}
          disabled={!isReadable(name)}
          onChange={() => onToggle(name)}
          className="switch-end"
        />
      ),
    },
  ];
}

function Access({ access }: { readonly access: Schemas['AccountObject'] | undefined }) {
  if (access === undefined) return null;
  return (
    <Group gap={6} mt={4} wrap="nowrap" align="flex-start">
      <Status value={access.verdict} />
      <Text size="xs" c="dimmed">
        {access.message}
      </Text>
    </Group>
  );
}

const formatCredits = (credits: number | undefined) => (credits === undefined ? '—' : formatNumber(credits));
