/**
 * The draft of a new pipeline, which is stored in this browser until the pipeline is created. A
 * draft contains no secrets: API keys and passwords are stored by the API only.
 */
import type { Schemas } from '../../api/client.ts';

const KEY = 'freshet.pipeline-draft';
const VERSION = 1;

export const STEPS = ['connect', 'objects', 'destination', 'schedule', 'review'] as const;
export type StepName = (typeof STEPS)[number];

export interface DestinationDraft {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly ssl_mode: Schemas['SslMode'];
  readonly ssl_ca: string;
}

export interface Draft {
  readonly version: typeof VERSION;
  readonly step: StepName;
  readonly name: string;
  readonly subdomain: string;
  /** The credential that the wizard created, or the existing one that the user chose. */
  readonly credentialId: string | null;
  /** Whether the wizard created the credential. */
  readonly isCredentialOwn: boolean;
  /** Null: all history. */
  readonly historicalSyncDays: number | null;
  /** The names of the included objects. Null: the selection follows the preset "Recommended". */
  readonly objects: readonly string[] | null;
  /** Objects with a request per record. */
  readonly detail: readonly string[];
  /** Objects with a history table. */
  readonly history: readonly string[];
  readonly destinationId: string | null;
  readonly destination: DestinationDraft;
  /** The credential with the password that the wizard created. */
  readonly passwordCredentialId: string | null;
  readonly destinationSchema: string;
  readonly frequencyMinutes: number;
  /** Null: the pipeline runs at an interval. */
  readonly schedule: { readonly cron: string; readonly time_zone: string } | null;
  readonly creditSharePercent: number;
}

export const EMPTY_DRAFT: Draft = {
  version: VERSION,
  step: 'connect',
  name: '',
  subdomain: '',
  credentialId: null,
  isCredentialOwn: false,
  historicalSyncDays: 365,
  objects: null,
  detail: [],
  history: [],
  destinationId: null,
  destination: {
    name: '',
    host: '',
    port: 5432,
    database: '',
    username: 'freshet',
    ssl_mode: 'verify-full',
    ssl_ca: '',
  },
  passwordCredentialId: null,
  destinationSchema: '',
  frequencyMinutes: 60,
  schedule: null,
  creditSharePercent: 80,
};

/** Returns the stored draft, or an empty one. A draft of an older version is discarded. */
export function loadDraft(storage: Storage = localStorage): Draft {
  try {
    const stored = JSON.parse(storage.getItem(KEY) ?? 'null') as Draft | null;
    return stored?.version === VERSION ? { ...EMPTY_DRAFT, ...stored } : EMPTY_DRAFT;
  } catch {
    return EMPTY_DRAFT;
  }
}

export function saveDraft(draft: Draft, storage: Storage = localStorage): void {
  storage.setItem(KEY, JSON.stringify(draft));
}

export function deleteDraft(storage: Storage = localStorage): void {
  storage.removeItem(KEY);
}

export function hasDraft(storage: Storage = localStorage): boolean {
  return storage.getItem(KEY) !== null;
}
