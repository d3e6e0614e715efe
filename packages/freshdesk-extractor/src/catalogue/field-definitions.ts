import { bigint, boolean, jsonb, text } from './columns.ts';

/**
 * Columns and sample records that the lists of field definitions (ticket, contact and company
 * fields) share.
 */

/** The columns with which all lists of field definitions begin. */
export const FIELD_COLUMNS = {
  id: bigint('Primary key.'),
  name: text('Field name, as in records.'),
  label: text('Label for agents.'),
  description: text('Description of the field.', { nullable: true, optional: true }),
  position: bigint('Position in the form.'),
  type: text('Field type: `default_…` or `custom_…`.'),
  default: boolean('True for a field that Freshdesk defines, false for a field that the account defines.'),
  choices: jsonb(
    'Values of the field. The shape depends on the field: an array of strings, an array of objects, or an object of values and labels.',
    { nullable: true, optional: true },
  ),
  required_for_agents: boolean('Agents must fill in the field.', { optional: true }),
};

interface SampleField {
  /** The number that is added to the object's first id. */
  readonly id: number;
  readonly name: string;
  readonly label: string;
  readonly position: number;
  /** Types that begin with `default_` belong to fields that Freshdesk defines. */
  readonly type: string;
  readonly choices?: unknown;
}

/** Completes the field definitions of a simulated account. */
export function buildSampleFields(firstId: number, fields: readonly SampleField[]): Record<string, unknown>[] {
  return fields.map(({ id, name, label, position, type, choices }) => ({
    id: firstId + id,
    name,
    label,
    position,
    type,
    default: type.startsWith('default_'),
    ...(choices === undefined ? {} : { choices }),
    created_at: '2023-06-01T08:00:10Z',
    updated_at: '2024-06-01T08:00:10Z',
  }));
}
