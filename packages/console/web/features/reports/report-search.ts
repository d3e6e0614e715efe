/** The state of the reports page, as the search parameters of the URL. */
import { isDay } from './days.ts';

const RANGES = ['7d', '30d', 'quarter', 'custom'] as const;
const GROUPINGS = ['day', 'week', 'month'] as const;
const HOURS = ['business', 'calendar'] as const;
/** The dimensions of the table. */
export const DIMENSIONS = ['agent', 'group', 'source', 'company'] as const;

export type RangeName = (typeof RANGES)[number];
export type Grouping = (typeof GROUPINGS)[number];
export type Hours = (typeof HOURS)[number];
export type Dimension = (typeof DIMENSIONS)[number];

/** Absent parameters have their defaults: 30 days, agents, and business hours. */
export interface ReportSearch {
  readonly pipeline?: string;
  readonly range?: RangeName;
  /** The first day of a custom range. */
  readonly from?: string;
  /** The last day of a custom range. */
  readonly to?: string;
  readonly by?: Grouping;
  readonly hours?: Hours;
  readonly table?: Dimension;
}

/** Reads the search parameters of the URL. Unknown and invalid parameters are ignored. */
export function parseReportSearch(search: Readonly<Record<string, unknown>>): ReportSearch {
  const pick = <T extends string>(name: string, values: readonly T[]): { [key: string]: T } => {
    const value = values.find((candidate) => candidate === search[name]);
    return value === undefined ? {} : { [name]: value };
  };
  const { pipeline, from, to } = search;
  const isCustom = isDay(from) && isDay(to) && from <= to;
  return {
    ...(typeof pipeline === 'string' ? { pipeline } : {}),
    ...pick('range', isCustom ? RANGES : RANGES.filter((range) => range !== 'custom')),
    ...(isCustom ? { from, to } : {}),
    ...pick('by', GROUPINGS),
    ...pick('hours', HOURS),
    ...pick('table', DIMENSIONS),
  };
}
