import { AppError } from '@freshet/contracts';
import type { MetricDefinition } from './interface.ts';
import { listModels } from './models/list-models.ts';

/** A metric of the glossary: its name, and the column that contains it. */
interface Metric {
  readonly name: string;
  readonly column: `${string}.${string}`;
}

const GLOSSARY: readonly { readonly topic: string; readonly metrics: readonly Metric[] }[] = [
  {
    topic: 'Volume',
    metrics: [
      { name: 'Created tickets', column: 'daily_summary.created' },
      { name: 'Resolved tickets', column: 'daily_summary.resolved' },
      { name: 'Reopened tickets', column: 'daily_summary.reopened' },
      { name: 'Unresolved tickets', column: 'daily_summary.unresolved' },
      { name: 'Backlog', column: 'daily_backlog.open_tickets' },
      { name: 'Age of the backlog', column: 'daily_backlog.age_days_mean' },
      { name: 'Old tickets in the backlog', column: 'daily_backlog.older_than_7_days' },
      { name: 'Created tickets of a company', column: 'company_monthly.created' },
    ],
  },
  {
    topic: 'Responses',
    metrics: [
      { name: 'First response time', column: 'ticket_metrics.first_response_minutes' },
      { name: 'First response time in business hours', column: 'ticket_metrics.first_response_minutes_business' },
      { name: 'Response time', column: 'responses.minutes' },
      { name: 'Response time in business hours', column: 'responses.business_minutes' },
      { name: 'Agent responses', column: 'ticket_metrics.agent_responses' },
      { name: 'Customer messages', column: 'ticket_metrics.customer_messages' },
      { name: 'Private notes', column: 'ticket_metrics.private_notes' },
      { name: 'Agents involved', column: 'ticket_metrics.agents_involved' },
      { name: 'Skewed times', column: 'ticket_metrics.skewed_times' },
    ],
  },
  {
    topic: 'Resolutions',
    metrics: [
      { name: 'First resolution time', column: 'ticket_metrics.first_resolution_minutes' },
      { name: 'First resolution time in business hours', column: 'ticket_metrics.first_resolution_minutes_business' },
      { name: 'Full resolution time', column: 'ticket_metrics.full_resolution_minutes' },
      { name: 'Full resolution time in business hours', column: 'ticket_metrics.full_resolution_minutes_business' },
      { name: 'Requester wait time', column: 'ticket_metrics.requester_wait_minutes' },
      { name: 'Requester wait time in business hours', column: 'ticket_metrics.requester_wait_minutes_business' },
      { name: 'Agent wait time', column: 'ticket_metrics.agent_wait_minutes' },
      { name: 'Agent wait time in business hours', column: 'ticket_metrics.agent_wait_minutes_business' },
      { name: 'Reopens', column: 'ticket_metrics.reopens' },
      { name: 'Groups involved', column: 'ticket_metrics.groups_involved' },
      { name: 'One-touch resolution', column: 'ticket_metrics.is_one_touch' },
      { name: 'First contact resolution', column: 'ticket_metrics.is_first_contact_resolution' },
      { name: 'Time in a status', column: 'ticket_status_periods.minutes' },
      { name: 'Time in a status in business hours', column: 'ticket_status_periods.business_minutes' },
    ],
  },
  {
    topic: 'Service levels',
    metrics: [
      { name: 'SLA state', column: 'sla_targets.state' },
      { name: 'Minutes over the target', column: 'sla_targets.minutes_over' },
      { name: 'First responses in time', column: 'ticket_metrics.is_first_response_in_time' },
      { name: 'Resolutions in time', column: 'ticket_metrics.is_resolution_in_time' },
      { name: 'Achieved targets', column: 'daily_summary.sla_met_percent' },
    ],
  },
  {
    topic: 'Satisfaction',
    metrics: [
      { name: 'CSAT score of a rating', column: 'csat_responses.score' },
      { name: 'CSAT score of a ticket', column: 'ticket_metrics.csat_score' },
      { name: 'Positive ratings', column: 'daily_summary.csat_percent' },
    ],
  },
  {
    topic: 'Agents',
    metrics: [
      { name: 'Assigned tickets', column: 'agent_daily.assigned' },
      { name: 'Resolved tickets of an agent', column: 'agent_daily.resolved' },
      { name: 'Reopened tickets of an agent', column: 'agent_daily.reopened' },
      { name: 'Median response time of an agent', column: 'agent_daily.response_minutes_median' },
      { name: 'Tracked time of a ticket', column: 'ticket_metrics.minutes_tracked' },
      { name: 'Tracked time of an agent', column: 'agent_daily.minutes_tracked' },
    ],
  },
];

/** Lists the metrics, each with the definition of its column. */
export function listMetrics(): readonly MetricDefinition[] {
  const models = listModels();
  return GLOSSARY.flatMap(({ topic, metrics }) =>
    metrics.map(({ name, column: path }) => {
      const [model, column] = path.split('.') as [string, string];
      const described = models.find((candidate) => candidate.name === model)?.columns.find((c) => c.name === column);
      if (described === undefined)
        throw new AppError('bug', `The glossary names the column ${path}, which does not exist.`);
      return { topic, name, model, column, type: described.type, definition: described.description };
    }),
  );
}
