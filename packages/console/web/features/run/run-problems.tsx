import { Anchor } from '@mantine/core';
import type { Schemas } from '../../api/client.ts';
import { Notice } from '../../components/notice.tsx';
import { TextLink } from '../../components/page.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { getCounterpart, getRemedy, isIgnored, sumObjects } from './run-progress.ts';

type Run = Schemas['Run'];
type ObjectRun = Schemas['ObjectRun'];

/** What went wrong in a run and what to do, in sentences. Nothing, if everything is complete. */
export function RunProblems({ run }: { readonly run: Run }) {
  const failed = run.objects.filter(
    (o) => !isIgnored(o) && (o.status === 'failed' || o.status === 'forbidden' || o.status === 'not_in_plan'),
  );
  const partial = run.objects.filter((o) => o.status === 'partial');
  const rejected = sumObjects(run.objects).rejected;
  const waiting = run.objects.filter((o) => o.error !== null && o.finished_at === null);
  const failures = `/pipelines/${run.pipeline_id}/failures`;
  return (
    <>
      {failed.length > 0 ? <FailedObjects objects={failed} run={run} /> : null}
      {partial.length > 0 ? (
        <Notice tone="attention">
          <strong>
            {partial.length} of {formatCount(run.objects.length, 'object')} did not finish.
          </strong>{' '}
          {partial.map((o) => `${o.object}: ${formatCount(o.failed_units, 'unit')} could not be read.`).join(' ')} All
          other records are complete. Freshet retries these units in later runs;{' '}
          <TextLink to={failures}>see the failed units</TextLink>.
        </Notice>
      ) : null}
      {groupByMessage(waiting).map(({ names, message, code }) => (
        <Notice key={message} tone="attention">
          <strong>
            {describeObjects(names)} for {getCounterpart(code)}.
          </strong>{' '}
          {message} {getRemedy(code)}
        </Notice>
      ))}
      {rejected > 0 ? (
        <Notice tone="attention">
          <strong>{formatCount(rejected, 'record')} did not fit the table.</strong> {formatNumber(rejected)} of the
          records were set aside and are not lost; <TextLink to={failures}>see the rejected records</TextLink>, correct
          the cause, and replay them.
        </Notice>
      ) : null}
    </>
  );
}

/** A link to the trace of the run. Nothing, if the operator has not configured a tracing system. */
export function TraceLink({ run }: { readonly run: Run }) {
  if (run.trace_url === null) return null;
  return (
    <Anchor href={run.trace_url} target="_blank" rel="noreferrer" inherit>
      Open the trace
    </Anchor>
  );
}

function FailedObjects({ objects, run }: { readonly objects: readonly ObjectRun[]; readonly run: Run }) {
  return (
    <Notice tone="failed">
      <strong>
        {objects.length} of {formatCount(run.objects.length, 'object')} failed.
      </strong>{' '}
      <TraceLink run={run} />
      {groupByMessage(objects).map(({ names, message, code }) => (
        <div key={message}>
          {names.join(', ')}: {message} {getRemedy(code)}
        </div>
      ))}
    </Notice>
  );
}

/** "tickets waits", or "12 objects wait". */
function describeObjects(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]} waits` : `${names.length} objects wait`;
}

/** Groups objects with the same error, so that a common cause is stated once. */
function groupByMessage(objects: readonly ObjectRun[]) {
  const groups = Map.groupBy(objects, (o) => o.error?.message ?? o.status);
  return [...groups].map(([message, members]) => ({
    message,
    names: members.map((o) => o.object),
    code: members[0]?.error?.code ?? '',
  }));
}
