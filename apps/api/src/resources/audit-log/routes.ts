import { Readable } from 'node:stream';
import type { AuditFilter, AuditEntry as StoredEntry } from '@freshet/control-store';
import { Type } from 'typebox';
import type { App, Deps } from '../../context.ts';
import { operation, parseListQuery, response } from '../../http/operation.ts';
import { ListQuery } from '../../http/schemas.ts';
import { AuditEntryList } from './schemas.ts';

const tags = ['audit log'];
const EXPORT_PAGE_SIZE = 200;

const filters = {
  actor_id: Type.Optional(
    Type.String({ format: 'uuid', description: 'Return only changes that were made with this token.' }),
  ),
  action: Type.Optional(
    Type.String({ description: 'Return only changes that were made by this operation, such as `updatePipeline`.' }),
  ),
  resource: Type.Optional(
    Type.String({
      description:
        'The path of a resource, such as `pipelines/<id>`. Return only changes of this resource and of resources below this path.',
      maxLength: 300,
    }),
  ),
  from: Type.Optional(Type.String({ format: 'date-time', description: 'Return only changes at or after this time.' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Return only changes before this time.' })),
};

export function registerAuditLogRoutes(app: App, deps: Deps): void {
  registerListAuditLogEntries(app, deps);
  registerExportAuditLog(app, deps);
}

function registerListAuditLogEntries(app: App, { store: { auditLog } }: Deps): void {
  app.get(
    '/v1/audit-log',
    {
      config: { permission: 'read_audit_log' },
      schema: {
        ...operation({
          operationId: 'listAuditLogEntries',
          tags,
          summary: 'List audit log entries',
          description:
            'Lists all changes that were made through the API, newest first. Each entry contains the resource before and after the change. Previews of tables and queries are also listed, because their rows can contain personal data. Entries cannot be changed or deleted through the API.',
        }),
        querystring: Type.Object({ ...ListQuery, ...filters }),
        response: { 200: response('A page of the list.', AuditEntryList) },
      },
    },
    async (request) => {
      const { data, nextCursor } = await auditLog.list(parseListQuery(request.query), parseFilter(request.query));
      return { data: data.map(toAuditEntryJson), next_cursor: nextCursor };
    },
  );
}

function registerExportAuditLog(app: App, { store: { auditLog } }: Deps): void {
  app.get(
    '/v1/audit-log/export',
    {
      config: { permission: 'read_audit_log' },
      schema: {
        ...operation({
          operationId: 'exportAuditLog',
          tags,
          summary: 'Export the audit log',
          description:
            'Streams all entries that match the filters, newest first. The format is JSON Lines, with one AuditEntry per line.',
        }),
        querystring: Type.Object(filters),
        response: {
          200: {
            description: 'The entries.',
            content: {
              'application/x-ndjson': { schema: Type.String({ description: 'JSON Lines: one AuditEntry per line.' }) },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const filter = parseFilter(request.query);
      const generateLines = async function* () {
        for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
          const page: { data: readonly StoredEntry[]; nextCursor: string | null } = await auditLog.list(
            { limit: EXPORT_PAGE_SIZE, cursor },
            filter,
          );
          for (const entry of page.data) yield `${JSON.stringify(toAuditEntryJson(entry))}\n`;
          cursor = page.nextCursor;
        }
      };
      return reply.type('application/x-ndjson').send(Readable.from(generateLines()) as never);
    },
  );
}

function parseFilter(query: {
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

function toAuditEntryJson(entry: StoredEntry) {
  return {
    id: entry.id,
    at: entry.at.toISOString(),
    actor: { id: entry.actor_id, name: entry.actor_name, role: entry.actor_role },
    address: entry.address,
    request_id: entry.request_id,
    action: entry.action,
    resource: entry.resource,
    before: entry.before,
    after: entry.after,
  };
}
