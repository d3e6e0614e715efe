import type { Schemas } from '../../api/client.ts';
import { Notice } from '../../components/notice.tsx';
import { TextLink } from '../../components/page.tsx';
import { formatCount, formatNumber } from '../../format/numbers.ts';
import { getRemedy, isIgnored, sumObjects } from './run-progress.ts';

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
      {failed.length > 0 ? <FailedObjects objects={failed} total={run.objects.length} /> : null}
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
      {waiting.map((o) => (
        <Notice key={o.object} tone="attention">
          <strong>{o.object} waits.</strong> {o.error?.message} {getRemedy(o.error?.code ?? '')}
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

function FailedObjects({ objects, total }: { readonly objects: readonly ObjectRun[]; readonly total: number }) {
  return (
    <Notice tone="failed">
      <strong>
        {objects.length} of {formatCount(total, 'object')} failed.
      </strong>
      {groupByMessage(objects).map(({ names, message, code }) => (
        <div key={message}>
          {names.join(', ')}: {message} {getRemedy(code)}
        </div>
      ))}
    </Notice>
  );
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
