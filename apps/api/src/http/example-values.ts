import { catalogue } from '@freshet/freshdesk-extractor';

/** The object of the examples. */
export const EXAMPLE_OBJECT = catalogue.find((o) => o.webhookKey !== null)?.name ?? '';

/** An object whose parent is `EXAMPLE_OBJECT`. */
export const EXAMPLE_CHILD_OBJECT =
  catalogue.find(({ strategy }) => strategy.kind === 'children' && strategy.parent === EXAMPLE_OBJECT)?.name ?? '';

/**
 * The ids in the examples. All examples show the same fictional deployment, so a resource has the
 * same id in every example.
 */
export const EXAMPLE_IDS = {
  api_key: '019b8d00-4a10-7d21-8c34-5e6f708192a1',
  password: '019b8d00-5b20-7e32-9d45-6f708192a3b2',
  destination: '019b8d01-6c30-7f43-8e56-708192a3b4c3',
  pipeline: '019b8d02-7d40-7a54-9f67-8192a3b4c5d4',
  run: '019c1440-8e50-7b65-8a78-92a3b4c5d6e5',
  batch: '019c1441-9f60-7c76-9b89-a3b4c5d6e7f6',
  rejected_record: '019c1442-a070-7d87-8c9a-b4c5d6e7f807',
  failed_unit: '019c1443-b180-7e98-9dab-c5d6e7f80918',
  erasure: '019c0a10-c290-7fa9-8ebc-d6e7f8091a29',
  webhook: '019b8d10-d3a0-7aba-9fcd-e7f8091a2b3a',
  delivery: '019c1450-e4b0-7bcb-8ade-f8091a2b3c4b',
  event: '019c1450-e4a0-7bca-9bef-091a2b3c4d5c',
  token: '019b8cf0-f5c0-7cdc-8cf0-1a2b3c4d5e6d',
  audit_entry: '019b8d02-7d50-7de1-9d01-2b3c4d5e6f7e',
  dead_job: '019c1460-06d0-7ef2-8e12-3c4d5e6f7081',
  object_run: '019c1440-8e60-7f03-9f23-4d5e6f708192',
  process: '019c1400-17e0-7a14-8a34-5e6f708192a3',
} as const;

export type ExampleId = keyof typeof EXAMPLE_IDS;
