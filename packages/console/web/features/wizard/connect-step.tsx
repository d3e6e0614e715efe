import { Button, Grid, PasswordInput, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, FreshetError, type Schemas } from '../../api/client.ts';
import { credentialsQuery } from '../../api/queries.ts';
import { usePermission } from '../../components/guarded.tsx';
import { Notice } from '../../components/notice.tsx';
import { Card } from '../../components/page.tsx';
import { ActionError } from '../../components/states.tsx';
import { AccountTestResult, isUsable } from './account-test-result.tsx';
import { ApiKeyHelp } from './api-key-help.tsx';
import type { Draft } from './draft-storage.ts';
import { parseSubdomain } from './inputs.ts';
import { accountTestQuery } from './queries.ts';
import { StepButtons } from './step-list.tsx';
import type { StepProps } from './use-draft.ts';

/** The first step: the name of the pipeline, the account, and its API key with a test. */
export function ConnectStep({ draft, update, onNext, onBack }: StepProps) {
  const [subdomainText, setSubdomainText] = useState(draft.subdomain);
  const [apiKey, setApiKey] = useState('');
  const subdomain = parseSubdomain(subdomainText);
  const test = useConnectionTest(draft, update);
  const result = useQuery({ ...accountTestQuery(draft.subdomain, draft.credentialId), enabled: false }).data;
  const isTested = isUsable(result) && apiKey === '' && subdomain === draft.subdomain;
  const canTest = subdomain !== null && draft.name.trim() !== '' && (apiKey !== '' || draft.credentialId !== null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isTested) onNext();
    else if (canTest) test.mutate({ subdomain, apiKey }, { onSuccess: () => setApiKey('') });
  };
  return (
    <form onSubmit={submit}>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            <Card>
              <Stack>
                <SubdomainField
                  value={subdomainText}
                  onChange={setSubdomainText}
                  onBlur={() => draft.name === '' && subdomain !== null && update({ name: subdomain })}
                  subdomain={subdomain}
                />
                <TextInput
                  label="Pipeline name"
                  description="The name that you will see in this console."
                  value={draft.name}
                  onChange={(event) => update({ name: event.currentTarget.value })}
                  maxLength={255}
                  required
                />
                <KeyFields draft={draft} update={update} apiKey={apiKey} onApiKeyChange={setApiKey} />
              </Stack>
            </Card>
            <ActionError error={test.error} />
            {result !== undefined && subdomain === draft.subdomain ? <AccountTestResult result={result} /> : null}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <ApiKeyHelp subdomain={subdomain} />
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

interface TestInput {
  readonly subdomain: string;
  /** Empty: the stored credential is tested. */
  readonly apiKey: string;
}

/** Stores the API key, tests it, and keeps the result for the next steps. */
function useConnectionTest(draft: Draft, update: StepProps['update']) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async ({ subdomain, apiKey }: TestInput) => {
      const stored = apiKey === '' ? null : await storeApiKey(draft, subdomain, apiKey);
      const credentialId = stored?.id ?? draft.credentialId;
      // Only a change of the account or of the key discards the selection.
      update({
        subdomain,
        credentialId,
        ...(stored === null ? {} : { isCredentialOwn: true }),
        ...(subdomain === draft.subdomain ? {} : { objects: null }),
      });
      const query = accountTestQuery(subdomain, credentialId);
      return queryClient.fetchQuery({ ...query, staleTime: 0 });
    },
  });
}

/** Creates the credential of the draft, or replaces its key after a failed test. */
async function storeApiKey(draft: Draft, subdomain: string, apiKey: string): Promise<Schemas['Credential']> {
  if (draft.credentialId !== null && draft.isCredentialOwn) {
    const params = { path: { id: draft.credentialId } };
    try {
      return await api().patch('/v1/credentials/{id}', { params, body: { api_key: apiKey } });
    } catch (error) {
      if (!(error instanceof FreshetError && error.status === 404)) throw error;
    }
  }
  return createCredential(`${subdomain} API key`, apiKey);
}

/** Creates a credential. If its name is in use, adds the time. */
async function createCredential(name: string, apiKey: string): Promise<Schemas['Credential']> {
  const create = (unique: string) =>
    api().post('/v1/credentials', { body: { name: unique, type: 'freshdesk_api_key', api_key: apiKey } });
  try {
    return await create(name);
  } catch (error) {
    if (!(error instanceof FreshetError && error.status === 409)) throw error;
    return create(`${name} (${new Date().toISOString().slice(0, 19).replace('T', ' ')})`);
  }
}

interface SubdomainFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onBlur: () => void;
  /** The parsed value. Null: the text is not an account. */
  readonly subdomain: string | null;
}

function SubdomainField({ value, onChange, onBlur, subdomain }: SubdomainFieldProps) {
  const isInvalid = value.trim() !== '' && subdomain === null;
  const field = (
    <TextInput
      label="Freshdesk account"
      description="Paste any address of your helpdesk, or enter the part before .freshdesk.com."
      placeholder="acme or https://acme.freshdesk.com"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onBlur={onBlur}
      error={
        isInvalid
          ? 'This is not an address of a Freshdesk account. Enter the part before .freshdesk.com: custom domains do not serve the API.'
          : null
      }
      required
      autoFocus
    />
  );
  return (
    <div>
      {field}
      <Text size="sm" c="dimmed" mt={4} aria-live="polite">
        {subdomain === null ? '' : `Freshet will read https://${subdomain}.freshdesk.com`}
      </Text>
    </div>
  );
}

interface KeyFieldsProps {
  readonly draft: Draft;
  readonly update: StepProps['update'];
  readonly apiKey: string;
  readonly onApiKeyChange: (value: string) => void;
}

/** The API key: a new one, or a stored credential. */
function KeyFields({ draft, update, apiKey, onApiKeyChange }: KeyFieldsProps) {
  const { data: credentials = [] } = useQuery(credentialsQuery());
  const { isAllowed: canCreate, reason } = usePermission('manage_connections');
  const existing = credentials.filter(
    ({ type, id }) => type === 'freshdesk_api_key' && !(draft.isCredentialOwn && id === draft.credentialId),
  );
  const [source, setSource] = useState(draft.credentialId !== null && !draft.isCredentialOwn ? 'stored' : 'new');
  const isStored = source === 'stored' || !canCreate;
  const choose = (next: string) => {
    setSource(next);
    onApiKeyChange('');
    if (next === 'stored') update({ credentialId: null, isCredentialOwn: false });
  };
  return (
    <Stack gap="xs">
      {canCreate && existing.length > 0 ? (
        <SegmentedControl
          aria-label="API key"
          value={source}
          onChange={choose}
          data={[
            { value: 'new', label: 'New API key' },
            { value: 'stored', label: 'Stored API key' },
          ]}
          maw={320}
        />
      ) : null}
      {canCreate ? null : <Notice tone="neutral">{reason} You can use an API key that is already stored.</Notice>}
      {isStored ? (
        <Select
          label="Stored API key"
          placeholder="Choose a credential"
          data={existing.map(({ id, name, hint }) => ({ value: id, label: `${name} (${hint})` }))}
          value={draft.credentialId}
          onChange={(credentialId) => update({ credentialId, isCredentialOwn: false })}
          required
        />
      ) : (
        <PasswordInput
          label="API key"
          description="Freshet encrypts the key before it is stored, and never shows it again."
          placeholder={draft.credentialId === null ? '' : 'Stored. Enter a key only to replace it.'}
          value={apiKey}
          onChange={(event) => onApiKeyChange(event.currentTarget.value)}
          autoComplete="off"
          required={draft.credentialId === null}
        />
      )}
    </Stack>
  );
}
