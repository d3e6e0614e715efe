import { Button, Grid, Radio, Select, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { Schemas } from '../../api/client.ts';
import { destinationsQuery } from '../../api/queries.ts';
import { CodeBlock } from '../../components/copy.tsx';
import { usePermission } from '../../components/guarded.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card } from '../../components/page.tsx';
import { ActionError, QueryView } from '../../components/states.tsx';
import { DestinationFields } from '../connections/destination-fields.tsx';
import { DestinationTestResult } from '../connections/destination-test-result.tsx';
import { useDestinationTest } from './destination-test.ts';
import { buildGrantSql, getDefaultSchema } from './inputs.ts';
import { StepButtons } from './step-list.tsx';
import type { StepProps } from './use-draft.ts';

/** The third step: the warehouse. */
export function DestinationStep(props: StepProps) {
  const query = useQuery(destinationsQuery());
  return (
    <QueryView query={query}>{(destinations) => <DestinationForm {...props} destinations={destinations} />}</QueryView>
  );
}

function DestinationForm({
  draft,
  update,
  onNext,
  onBack,
  destinations,
}: StepProps & { readonly destinations: readonly Schemas['Destination'][] }) {
  const { isAllowed: canCreate, reason } = usePermission('manage_connections');
  const others = destinations.filter(({ id }) => draft.passwordCredentialId === null || id !== draft.destinationId);
  const [isNew, setNew] = useState(canCreate && (draft.passwordCredentialId !== null || others.length === 0));
  const [password, setPassword] = useState('');
  const schema = draft.destinationSchema || getDefaultSchema(draft.subdomain);
  const test = useDestinationTest(draft, update);
  const isTested = test.data?.usable === true && password === '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isTested) onNext();
    else test.mutate({ isNew, password, schema }, { onSuccess: (result) => result.usable && setPassword('') });
  };
  const canTest = isNew
    ? isComplete(draft) && (password !== '' || draft.passwordCredentialId !== null)
    : draft.destinationId !== null;
  const change = (changes: Parameters<StepProps['update']>[0]) => {
    test.reset();
    update(changes);
  };
  return (
    <form onSubmit={submit}>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            <Card>
              <Stack>
                {canCreate ? null : <Notice tone="neutral">{reason} You can use an existing destination.</Notice>}
                {others.length > 0 && canCreate ? (
                  <KindControl
                    isNew={isNew}
                    onChange={(next) => {
                      setNew(next);
                      change({ destinationId: null, passwordCredentialId: null });
                    }}
                  />
                ) : null}
                {isNew ? (
                  <DestinationFields
                    value={draft.destination}
                    onChange={(destination) => change({ destination })}
                    password={password}
                    onPasswordChange={(next) => {
                      test.reset();
                      setPassword(next);
                    }}
                    isPasswordStored={draft.passwordCredentialId !== null}
                  />
                ) : (
                  <Select
                    label="Destination"
                    placeholder="Choose a destination"
                    data={others.map(({ id, name, host, database }) => ({
                      value: id,
                      label: `${name} (${host}, ${database})`,
                    }))}
                    value={draft.destinationId}
                    onChange={(destinationId) => change({ destinationId })}
                    required
                  />
                )}
                <TextInput
                  label="Schema"
                  description="The tables of this pipeline are created in this schema."
                  placeholder={getDefaultSchema(draft.subdomain)}
                  value={draft.destinationSchema}
                  onChange={(event) => change({ destinationSchema: event.currentTarget.value })}
                  maxLength={63}
                />
              </Stack>
            </Card>
            <ActionError error={test.error} />
            {test.data ? <DestinationTestResult result={test.data} schema={schema} /> : null}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Card
            title="Prepare PostgreSQL"
            description="Freshet needs a role that owns the schema, and no other privileges."
          >
            <CodeBlock label="SQL that creates the role" code={buildGrantSql({ ...draft.destination, schema })} />
          </Card>
        </Grid.Col>
      </Grid>
      <StepButtons onBack={onBack}>
        <Button type="submit" loading={test.isPending} disabled={!isTested && !canTest}>
          {isTested ? 'Continue' : 'Test & continue'}
        </Button>
      </StepButtons>
    </form>
  );
}

function isComplete({ destination: { name, host, database, username } }: StepProps['draft']): boolean {
  return [name, host, database, username].every((value) => value.trim() !== '');
}

function KindControl({ isNew, onChange }: { readonly isNew: boolean; readonly onChange: (isNew: boolean) => void }) {
  return (
    <Radio.Group label="Warehouse" value={isNew ? 'new' : 'existing'} onChange={(value) => onChange(value === 'new')}>
      <Stack gap={6} mt={6}>
        <Radio value="existing" label="An existing destination" />
        <Radio value="new" label="A new destination" />
      </Stack>
    </Radio.Group>
  );
}
