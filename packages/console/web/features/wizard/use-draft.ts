import { useCallback, useState } from 'react';
import { api } from '../../api/client.ts';
import { type Draft, deleteDraft, EMPTY_DRAFT, loadDraft, saveDraft } from './draft-storage.ts';

export interface DraftState {
  readonly draft: Draft;
  /** Changes fields of the draft, and stores it. */
  readonly update: (changes: Partial<Draft>) => void;
  /** Deletes the draft, and the credentials that only the draft uses. */
  readonly discard: () => Promise<void>;
}

/** What each step of the wizard receives. */
export interface StepProps extends DraftState {
  readonly onNext: () => void;
  readonly onBack: () => void;
}

export function useDraft(): DraftState {
  const [draft, setDraft] = useState(loadDraft);
  const update = useCallback((changes: Partial<Draft>) => {
    setDraft((before) => {
      const next = { ...before, ...changes };
      saveDraft(next);
      return next;
    });
  }, []);
  const discard = useCallback(async () => {
    deleteDraft();
    setDraft(EMPTY_DRAFT);
    await deleteUnused(draft);
  }, [draft]);
  return { draft, update, discard };
}

/**
 * Deletes the credential that the wizard created. A new destination stays, because a user may have
 * seen and used it elsewhere. The API refuses to delete a credential that is in use.
 */
async function deleteUnused({ credentialId, isCredentialOwn }: Draft): Promise<void> {
  if (credentialId === null || !isCredentialOwn) return;
  await api()
    .delete('/v1/credentials/{id}', { params: { path: { id: credentialId } } })
    .catch(() => undefined);
}
