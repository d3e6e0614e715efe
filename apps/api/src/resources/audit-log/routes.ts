import { Readable } from 'node:stream';
import type { AuditFilter, AuditEntry as StoredEntry } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { answer, listOptions, operation } from '../../http/operation.ts';
import { ListQuery } from '../../http/schemas.ts';
import { AuditEntryList } from './schemas.ts';

const tags = ['audit log'];
const EXPORT_PAGE = 200;

const filters = {
  actor_id: Type.Optional(Type.String({ format: 'uuid', description: 'Only what this token has done.' })),
  action: Type.Optional(Type.String({ description: 'Only this operation, such as `changePipeline`.' })),
  resource: Type.Optional(
    Type.String({
      description: 'Only this resource and what stands below it, by its path: `pipelines/<id>`.',
      maxLength: 300,
    }),
  ),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Only from then on.' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Only before then.' })),
};

export function auditLogRoutes(app: App, { store: { auditLog } }: Deps): void {
  app.get(
    '/v1/audit-log',
    {
      config: { permission: 'read_audit_log' },
      schema: {
        ...operation({
          operationId: 'listAuditLog',
          tags,
          summary: 'Who changed what',
          description:
            'Every change that was made through the API, newest first, with what it was before and after, without secrets. It is only ever added to.',
        }),
        querystring: Type.Object({ ...ListQuery, ...filters }),
        response: { 200: answer('One page.', AuditEntryList) },
      },
    },
    async (request) => {
      const { data, nextCursor } = await auditLog.list(listOptions(request.query), filterOf(request.query));
      return { data: data.map(toJson), next_cursor: nextCursor };
    },
  );

  app.get(
    '/v1/audit-log/export',
    {
      config: { permission: 'read_audit_log' },
      schema: {
        ...operation({
          operationId: 'exportAuditLog',
          tags,
          summary: 'Export the audit log',
          description: 'All of it that the filters leave, newest first, a JSON object a line.',
        }),
        querystring: Type.Object(filters),
        response: {
          200: {
            description: 'JSON lines, each an AuditEntry.',
            content: { 'application/x-ndjson': { schema: Type.String({ description: 'A JSON object a line.' }) } },
          },
        },
      },
    },
    async (request, reply) => {
      const filter = filterOf(request.query);
      const lines = async function* () {
        for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
          const page: { data: readonly StoredEntry[]; nextCursor: string | null } = await auditLog.list(
            { limit: EXPORT_PAGE, cursor },
            filter,
          );
          for (const entry of page.data) yield `${JSON.stringify(toJson(entry))}\n`;
          cursor = page.nextCursor;
        }
      };
      return reply.type('application/x-ndjson').send(Readable.from(lines()) as never);
    },
  );
}

function filterOf(query: {
  actor_id?: string;
  action?: string;
  resource?: string;
  from?: string;
  until?: string;
}): AuditFilter {
  return {
    actorId: query.actor_id,
    action: query.action,
    resource: query.resource,
    from: query.from === undefined ? undefined : new Date(query.from),
    until: query.until === undefined ? undefined : new Date(query.until),
  };
}

function toJson(e: StoredEntry) {
  return {
    id: e.id,
    at: e.at.toISOString(),
    actor: { id: e.actor_id, name: e.actor_name, role: e.actor_role },
    address: e.address,
    request_id: e.request_id,
    action: e.action,
    resource: e.resource,
    before: e.before,
    after: e.after,
  };
}
