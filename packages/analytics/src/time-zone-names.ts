import { readFileSync } from 'node:fs';

/** The model that maps the names of Ruby on Rails, which Freshdesk uses, to IANA names. */
const MODEL = new URL('../../../integrations/dbt/models/time_zones.sql', import.meta.url);

let railsNames: ReadonlySet<string> | null = null;

/** Whether a name is a time zone that the models accept: an IANA name or a Rails name. */
export function isTimeZone(name: string): boolean {
  if (name === 'UTC' || Intl.supportedValuesOf('timeZone').includes(name)) return true;
  railsNames ??= parseRailsNames(readFileSync(MODEL, 'utf8'));
  return railsNames.has(name);
}

/** Parses the first value of each row of the model. */
function parseRailsNames(sql: string): ReadonlySet<string> {
  const rows = sql.matchAll(/^\s*\('((?:[^']|'')+)', '/gm);
  return new Set([...rows].map(([, name = '']) => name.replaceAll("''", "'")));
}
