/** The types that users of this package need. */

/** The tables of a pipeline, and the schema of its models. */
export interface AnalyticsTarget {
  /** The schema of the pipeline's tables. The models are in the schema `<schema>_analytics`. */
  readonly schema: string;
  /** The prefix of the names of the pipeline's tables; empty: none. */
  readonly tablePrefix: string;
  /**
   * The time zone of days, an IANA name or a Rails name. Null: the time zone of the account's
   * default business calendar.
   */
  readonly timeZone: string | null;
}

export interface RefreshWarning {
  readonly kind: string;
  readonly message: string;
}

export interface RefreshResult {
  /**
   * `built`: the models were created. `rebuilt`: all tickets were recomputed, because definitions,
   * schedules, statuses or the time zone have changed. `refreshed`: the changed tickets were
   * recomputed. `unchanged`: there was nothing to recompute.
   */
  readonly kind: 'built' | 'rebuilt' | 'refreshed' | 'unchanged';
  /** The number of tickets that were recomputed. */
  readonly tickets: number;
  readonly warnings: readonly RefreshWarning[];
}

export interface DescribedColumn {
  readonly name: string;
  readonly type: string;
  readonly description: string;
}

/** A parameter of a report, as the API accepts it. */
export interface ReportParameter {
  readonly name: 'from' | 'to' | 'group_by' | 'time_zone';
  readonly type: 'date' | 'text';
  readonly required: boolean;
  readonly description: string;
}

export interface Report {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: readonly ReportParameter[];
  readonly columns: readonly DescribedColumn[];
  /** The accepted values of `group_by`. */
  readonly groupBy: readonly string[];
  /** The report's query, with Jinja placeholders for the schema of the models. */
  readonly sql: string;
}

export interface ReportArguments {
  /** The first day, as `YYYY-MM-DD`. */
  readonly from: string;
  /** The day after the last day, as `YYYY-MM-DD`. */
  readonly to: string;
  /** Null: the report's default. */
  readonly groupBy: string | null;
  /** An IANA name or a Rails name; null: the account's time zone. */
  readonly timeZone: string | null;
}

export interface ReportOptions {
  /** The greatest number of rows in the result. */
  readonly limit: number;
}

export interface ReportResult {
  readonly columns: readonly DescribedColumn[];
  /** Column → value. Numbers that JavaScript cannot represent exactly are strings. */
  readonly rows: readonly Readonly<Record<string, string | number | boolean | null>>[];
  /** Whether the report has more rows than the limit. */
  readonly truncated: boolean;
  /** The time zone of the days, as an IANA name. */
  readonly timeZone: string;
}

/** A model, as documentation needs it. */
export interface ModelDocumentation {
  readonly name: string;
  readonly grain: string;
  readonly description: string;
  readonly materialized: 'view' | 'table' | 'incremental';
  readonly key: readonly string[];
  readonly columns: readonly DescribedColumn[];
  /** Internal models support other models, and can change in any release. */
  readonly internal: boolean;
}

/** A metric, and the column of a model that contains it. */
export interface MetricDefinition {
  readonly topic: string;
  readonly name: string;
  readonly model: string;
  readonly column: string;
  /** The SQL type of the column. */
  readonly type: string;
  readonly definition: string;
}
