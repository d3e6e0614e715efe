import { Grid, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client.ts';
import { pipelineQuery } from '../../api/queries.ts';
import { ConfirmDialog, showSuccess } from '../../components/actions.tsx';
import { GuardedButton } from '../../components/guarded.tsx';
import { Card } from '../../components/page.tsx';
import { Loading } from '../../components/states.tsx';
import { ErasureCard } from './erasure-card.tsx';
import { SettingsForm } from './settings-form.tsx';

/** The settings of a pipeline. */
export function SettingsTab() {
  const { id } = useParams({ from: '/pipelines/$id' });
  const { data: pipeline } = useQuery(pipelineQuery(id));
  // A conflict remounts the form, so that it starts from the current values.
  const [generation, setGeneration] = useState(0);
  if (pipeline === undefined) return <Loading />;
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <SettingsForm key={generation} pipeline={pipeline} onReload={() => setGeneration(generation + 1)} />
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <Stack>
          <ErasureCard pipelineId={id} />
          <DeleteCard pipeline={pipeline} />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}

function DeleteCard({ pipeline }: { readonly pipeline: Schemas['Pipeline'] }) {
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  return (
    <Card
      title="Delete the pipeline"
      description="Freshet stops reading the account. The tables in the warehouse stay."
    >
      <GuardedButton permission="manage_pipelines" variant="default" className="danger" onClick={() => setOpen(true)}>
        Delete pipeline
      </GuardedButton>
      {isOpen ? (
        <ConfirmDialog
          title={`Delete ${pipeline.name}?`}
          confirmLabel="Delete pipeline"
          isDangerous
          typedText={pipeline.name}
          onConfirm={async () => {
            await api().delete('/v1/pipelines/{id}', { params: { path: { id: pipeline.id } } });
            await navigate({ to: '/' });
            showSuccess(`Deleted ${pipeline.name}.`);
          }}
          onClose={() => setOpen(false)}
        >
          <ul className="plain">
            <li>Open runs are cancelled. The runs, rejected records and failed units of this pipeline are deleted.</li>
            <li>
              The tables in the schema {pipeline.destination_schema} stay in the warehouse, and are no longer updated.
            </li>
            <li>A new pipeline of the account reads its history again, and uses credits for it.</li>
          </ul>
        </ConfirmDialog>
      ) : null}
    </Card>
  );
}
