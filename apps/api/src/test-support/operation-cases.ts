import { randomUUID } from 'node:crypto';
import { listReports } from '@freshet/analytics';
import type { Permission } from '../http/permissions.ts';
import type { TestApi } from './api.ts';
import { buildModels } from './models.ts';
import { buildDestinationInput, buildPipelineInput, type World } from './world.ts';

/** A valid request for an operation, and the expected outcome. */
export interface OperationCase {
  /** The path parameters. */
  readonly params?: (w: World) => Readonly<Record<string, string>>;
  readonly body?: (w: World) => object;
  /** Prepares resources that only this operation needs. */
  readonly prepare?: (w: World, api: TestApi) => Promise<void>;
  readonly status: number;
  /** A request that conflicts with a resource. Absent: no request can conflict. */
  readonly conflict?: (w: World) => { readonly params?: Readonly<Record<string, string>>; readonly body?: object };
  /**
   * Set if the path parameters do not refer to stored resources, such as the subdomain of
   * `getBudget`. The operation then never returns 404.
   */
  readonly neverMissing?: true;
  /** Set if the operation ignores `Idempotency-Key`, because it changes nothing. */
  readonly ignoresIdempotencyKey?: true;
}

const pipelineParams = (w: World) => ({ id: w.pipeline.id });
const rolesParams = (w: World) => ({ id: w.pipeline.id, object: 'roles' });

/** One case for each operation of the OpenAPI document, keyed by operation id. */
export const OPERATION_CASES: Readonly<Record<string, OperationCase>> = {
  createCredential: {
    body: () => ({ name: `c ${randomUUID()}`, type: 'freshdesk_api_key', api_key: 'secret-of-another' }),
    status: 201,
    conflict: () => ({ body: { name: 'key', type: 'freshdesk_api_key', api_key: 'x' } }),
  },
  listCredentials: { status: 200 },
  getCredential: { params: (w) => ({ id: w.key.id }), status: 200 },
  updateCredential: {
    params: (w) => ({ id: w.key.id }),
    body: () => ({ name: 'renamed' }),
    status: 200,
    conflict: (w) => ({ params: { id: w.key.id }, body: { name: 'spare' } }),
  },
  deleteCredential: {
    params: (w) => ({ id: w.spare.id }),
    status: 204,
    conflict: (w) => ({ params: { id: w.key.id } }),
  },
  createDestination: {
    body: (w) => buildDestinationInput(w, 'another'),
    status: 201,
    conflict: (w) => ({ body: buildDestinationInput(w, 'warehouse') }),
  },
  listDestinations: { status: 200 },
  getDestination: { params: (w) => ({ id: w.destination.id }), status: 200 },
  updateDestination: {
    params: (w) => ({ id: w.destination.id }),
    body: () => ({ name: 'renamed' }),
    status: 200,
    conflict: (w) => ({ params: { id: w.destination.id }, body: { name: 'spare' } }),
  },
  deleteDestination: {
    params: (w) => ({ id: w.spareDestination.id }),
    status: 204,
    conflict: (w) => ({ params: { id: w.destination.id } }),
  },
  testDestination: { params: (w) => ({ id: w.destination.id }), status: 200 },
  createPipeline: {
    body: (w) => buildPipelineInput(w, 'other'),
    status: 201,
    conflict: (w) => ({ body: buildPipelineInput(w, 'acme') }),
  },
  previewPipeline: {
    body: (w) => buildPipelineInput(w, 'other'),
    status: 200,
    conflict: (w) => ({ body: buildPipelineInput(w, 'acme') }),
  },
  previewPipelineUpdate: {
    params: pipelineParams,
    body: () => ({ frequency_minutes: 60 }),
    status: 200,
    conflict: (w) => ({ params: pipelineParams(w), body: { name: 'taken' } }),
  },
  listPipelines: { status: 200 },
  listPipelineActivity: { status: 200 },
  getPipelineSummary: { status: 200 },
  getPipeline: { params: pipelineParams, status: 200 },
  updatePipeline: {
    params: pipelineParams,
    body: () => ({ frequency_minutes: 60 }),
    status: 200,
    conflict: (w) => ({ params: pipelineParams(w), body: { name: 'taken' } }),
  },
  deletePipeline: { params: pipelineParams, status: 204 },
  pausePipeline: { params: pipelineParams, status: 200 },
  resumePipeline: { params: pipelineParams, status: 200 },
  testAccount: { body: (w) => ({ subdomain: 'acme', credential_id: w.key.id }), status: 200 },
  testPipeline: { params: pipelineParams, status: 200 },
  estimateRun: { params: pipelineParams, status: 200 },
  estimatePipeline: {
    body: (w) => ({ source: { type: 'freshdesk', subdomain: 'acme', credential_id: w.key.id } }),
    status: 200,
  },
  listCatalogObjects: { status: 200 },
  listMetrics: { status: 200 },
  listPipelineObjects: { params: pipelineParams, status: 200 },
  updatePipelineObject: { params: rolesParams, body: () => ({ included: false }), status: 200 },
  restartPipelineObject: { params: rolesParams, status: 200 },
  rebuildPipelineObject: { params: (w) => ({ id: w.pipeline.id, object: 'tickets' }), status: 202 },
  setPipelineObjectPosition: {
    params: (w) => ({ id: w.pipeline.id, object: 'tickets' }),
    body: () => ({ changed_since: '2026-01-01T00:00:00Z' }),
    status: 200,
    conflict: (w) => ({
      params: { id: w.pipeline.id, object: 'contacts' },
      body: { changed_since: '2026-01-01T00:00:00Z' },
    }),
  },
  refreshRecord: {
    params: (w) => ({ id: w.pipeline.id, object: 'tickets', record_id: '5' }),
    status: 202,
    conflict: (w) => ({ params: { id: w.pipeline.id, object: 'roles', record_id: '5' } }),
  },
  receiveFreshdeskWebhook: { params: pipelineParams, body: () => ({ ticket_id: '5' }), status: 202 },
  startRun: { params: pipelineParams, body: () => ({ kind: 'sync' }), status: 202 },
  listRuns: { status: 200 },
  getRun: { params: (w) => ({ id: w.run.id }), status: 200 },
  streamRunEvents: { params: (w) => ({ id: w.run.id }), status: 200 },
  cancelRun: { params: (w) => ({ id: w.run.id }), status: 200 },
  listRejectedRecords: { params: pipelineParams, status: 200 },
  getRejectedRecord: { params: (w) => ({ id: w.pipeline.id, record_id: w.rejected.id }), status: 200 },
  listFailedUnits: { params: pipelineParams, status: 200 },
  retryFailedUnits: { params: pipelineParams, body: () => ({}), status: 202 },
  discardFailedUnits: { params: pipelineParams, body: () => ({}), status: 200 },
  replayRejectedRecords: { params: pipelineParams, body: () => ({}), status: 202 },
  discardRejectedRecords: { params: pipelineParams, body: () => ({}), status: 200 },
  createErasure: { params: pipelineParams, body: () => ({ contact_id: '4711' }), status: 202 },
  listErasures: { params: pipelineParams, status: 200 },
  getErasure: { params: (w) => ({ id: w.pipeline.id, erasure_id: w.erasure.id }), status: 200 },
  liftErasure: { params: (w) => ({ id: w.pipeline.id, erasure_id: w.erasure.id }), status: 200 },
  listTables: { params: pipelineParams, status: 200 },
  previewTable: {
    params: (w) => ({ id: w.pipeline.id, table: 'daily_summary' }),
    prepare: buildModels,
    status: 200,
  },
  queryWarehouse: {
    params: pipelineParams,
    body: () => ({ sql: 'select 1' }),
    status: 200,
    ignoresIdempotencyKey: true,
  },
  listReports: { params: pipelineParams, status: 200 },
  runReport: {
    params: (w) => ({ id: w.pipeline.id, report: listReports()[0]?.name ?? '' }),
    prepare: buildModels,
    status: 200,
  },
  getSystemStatus: { status: 200 },
  getMetrics: { status: 200 },
  listDeadJobs: { status: 200 },
  retryDeadJob: { params: (w) => ({ id: w.deadJob.id }), status: 204 },
  discardDeadJob: { params: (w) => ({ id: w.deadJob.id }), status: 204 },
  getBudget: { params: () => ({ subdomain: 'acme' }), status: 200, neverMissing: true },
  listUsage: { status: 200 },
  listUsageByDay: { status: 200 },
  listUsageByPipeline: { status: 200 },
  createWebhook: {
    body: () => ({ name: 'another', url: 'https://hooks.example.com/', events: ['run.failed'] }),
    status: 201,
    conflict: () => ({ body: { name: 'hook', url: 'https://hooks.example.com/', events: ['run.failed'] } }),
  },
  listWebhooks: { status: 200 },
  getWebhook: { params: (w) => ({ id: w.webhook.id }), status: 200 },
  updateWebhook: {
    params: (w) => ({ id: w.webhook.id }),
    body: () => ({ enabled: false }),
    status: 200,
    conflict: (w) => ({ params: { id: w.webhook.id }, body: { name: 'spare' } }),
  },
  deleteWebhook: { params: (w) => ({ id: w.webhook.id }), status: 204 },
  rotateWebhookSecret: { params: (w) => ({ id: w.webhook.id }), body: () => ({ overlap_minutes: 5 }), status: 200 },
  testWebhook: { params: (w) => ({ id: w.webhook.id }), status: 202 },
  listWebhookDeliveries: { params: (w) => ({ id: w.webhook.id }), status: 200 },
  redeliverWebhookEvent: { params: (w) => ({ id: w.webhook.id, delivery_id: w.delivery.id }), status: 202 },
  createToken: { body: () => ({ name: 'reports', role: 'observer' }), status: 201 },
  listTokens: { status: 200 },
  getToken: { params: (w) => ({ id: w.token.id }), status: 200 },
  getCurrentToken: { status: 200 },
  updateToken: { params: (w) => ({ id: w.token.id }), body: () => ({ name: 'renamed' }), status: 200 },
  deleteToken: { params: (w) => ({ id: w.token.id }), status: 204 },
  rotateToken: { params: (w) => ({ id: w.token.id }), body: () => ({ overlap_minutes: 0 }), status: 200 },
  createSignInCode: { status: 201 },
  endSession: { status: 204 },
  listAuditLogEntries: { status: 200 },
  exportAuditLog: { status: 200 },
};

/**
 * The operations that require each permission. This table deliberately repeats the definitions of
 * the routes, so that a test fails if a permission is changed by accident.
 */
export const OPERATION_PERMISSIONS: Readonly<Record<Permission, readonly string[]>> = {
  read: [
    'getCurrentToken',
    'createSignInCode',
    'endSession',
    'listCredentials',
    'getCredential',
    'listDestinations',
    'getDestination',
    'listPipelines',
    'listPipelineActivity',
    'getPipelineSummary',
    'getPipeline',
    'listCatalogObjects',
    'listMetrics',
    'listPipelineObjects',
    'listRuns',
    'getRun',
    'streamRunEvents',
    'listFailedUnits',
    'listRejectedRecords',
    'listErasures',
    'getErasure',
    'listTables',
    'listReports',
    'getSystemStatus',
    'getMetrics',
    'listDeadJobs',
    'getBudget',
    'listUsage',
    'listUsageByDay',
    'listUsageByPipeline',
  ],
  read_records: ['getRejectedRecord'],
  read_reports: ['runReport'],
  read_warehouse: ['previewTable', 'queryWarehouse'],
  run: [
    'startRun',
    'cancelRun',
    'pausePipeline',
    'resumePipeline',
    'restartPipelineObject',
    'rebuildPipelineObject',
    'setPipelineObjectPosition',
    'retryFailedUnits',
    'discardFailedUnits',
    'replayRejectedRecords',
    'discardRejectedRecords',
  ],
  refresh: ['refreshRecord', 'receiveFreshdeskWebhook'],
  erase: ['createErasure', 'liftErasure'],
  redrive: ['retryDeadJob', 'discardDeadJob'],
  manage_pipelines: [
    'createPipeline',
    'previewPipeline',
    'previewPipelineUpdate',
    'updatePipeline',
    'deletePipeline',
    'testAccount',
    'testPipeline',
    'estimateRun',
    'estimatePipeline',
    'updatePipelineObject',
  ],
  manage_connections: [
    'createCredential',
    'updateCredential',
    'deleteCredential',
    'createDestination',
    'updateDestination',
    'deleteDestination',
    'testDestination',
  ],
  manage_webhooks: [
    'createWebhook',
    'listWebhooks',
    'getWebhook',
    'updateWebhook',
    'deleteWebhook',
    'rotateWebhookSecret',
    'testWebhook',
    'listWebhookDeliveries',
    'redeliverWebhookEvent',
  ],
  manage_tokens: ['createToken', 'listTokens', 'getToken', 'updateToken', 'deleteToken', 'rotateToken'],
  read_audit_log: ['listAuditLogEntries', 'exportAuditLog'],
};
