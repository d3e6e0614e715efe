#!/usr/bin/env node
/**
 * `npm run docs:terraform`: generates the schema of the Terraform provider, and the reference of
 * its resources, from the OpenAPI document. A field of the API becomes an attribute as follows:
 * - required in the request that creates the resource: required
 * - otherwise optional. If the API has a default, the attribute is also computed, so an attribute
 *   that the configuration omits keeps its current value. If the field is nullable and its default
 *   is null, an attribute that the configuration omits is null.
 * - only in responses: computed
 * - only in requests: write-only, so Terraform never stores the value
 * - rejected in updates: a change replaces the resource
 *
 * With `--check`, changes no file, and exits with status 1 if a file is out of date.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const document = JSON.parse(readFileSync(join(HERE, '../../docs/openapi.json'), 'utf8'));
const { schemas } = document.components;
/** The resources, and the names of their schemas. */
const RESOURCES = {
  credential: { path: '/v1/credentials', schema: 'Credential' },
  destination: { path: '/v1/destinations', schema: 'Destination' },
  pipeline: { path: '/v1/pipelines', schema: 'Pipeline' },
  webhook: { path: '/v1/webhooks', schema: 'Webhook', created: 'WebhookWithSecret' },
};
/** Fields that change with each run. As attributes, they would cause irrelevant differences. */
const VOLATILE = [
  'status',
  'paused_by',
  'next_run_at',
  'next_audit_at',
  'analytics_refresh',
  'disabled_reason',
  'failing_since',
  'previous_until',
];
/** Nullable fields whose default is not null: the value of the attribute that means null. */
const NULL_VALUES = { 'pipeline.audit_frequency_days': 0, 'pipeline.source.historical_sync_days': 0 };
/** Fields that the API converts to another form. The attribute accepts the form in responses. */
const PATTERNS = { 'pipeline.source.subdomain': '^[a-z0-9][a-z0-9-]*$' };
/** Attributes that the API does not have. */
const EXTRA_ATTRIBUTES = [
  {
    name: 'deletion_protection',
    type: 'boolean',
    optional: true,
    description: 'Whether Terraform refuses to delete and to replace the pipeline. Default: true.',
    only: ['pipeline'],
  },
  {
    name: 'paused',
    type: 'boolean',
    optional: true,
    computed: true,
    description: 'Whether the pipeline is paused.',
    only: ['pipeline'],
  },
  {
    name: 'secret_version',
    type: 'string',
    optional: true,
    description:
      'Any value. Terraform detects a new secret by its last four characters. Change this attribute if the new secret has the same last four characters.',
    only: ['credential', 'webhook'],
  },
];

const resources = Object.entries(RESOURCES).map(([name, { path, schema, created = schema }]) => {
  const input = mergeAlternatives(schemas[`${schema}Input`]);
  const response = { ...schemas[created], properties: { ...schemas[created].properties } };
  for (const field of VOLATILE) delete response.properties[field];
  const attributes = toAttributes(input, schemas[`${schema}Update`], response, name);
  return { name, path, description: schemas[schema].description, attributes };
});
const outdated = [];
write('internal/provider/schema.json', `${JSON.stringify({ resources }, null, 2)}\n`);
for (const resource of resources) write(`docs/resources/${resource.name}.md`, toPage(resource));

if (outdated.length > 0) {
  console.error(`${outdated.join(', ')}: out of date. Run \`npm run docs:terraform\`, and commit the result.`);
  process.exit(1);
}

function write(file, content) {
  const path = join(HERE, file);
  if (process.argv.includes('--check')) {
    if (!existsSync(path) || readFileSync(path, 'utf8') !== content) outdated.push(`integrations/terraform/${file}`);
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Merges the alternatives of a request: a field is required if all alternatives require it. */
function mergeAlternatives(schema) {
  if (!schema.oneOf) return schema;
  const alternatives = schema.oneOf.map(resolve);
  const properties = {};
  for (const { properties: fields } of alternatives)
    for (const [name, field] of Object.entries(fields))
      properties[name] = properties[name]?.enum ? { ...field, enum: [...properties[name].enum, ...field.enum] } : field;
  const required = alternatives[0].required.filter((name) => alternatives.every((one) => one.required.includes(name)));
  return { properties, required };
}

function resolve(schema) {
  return schema.$ref ? schemas[schema.$ref.split('/').pop()] : schema;
}

/** @returns the schema without the alternative `null`, and whether there is such an alternative. */
function unwrap(schema) {
  const alternatives = schema.anyOf ?? schema.allOf ?? [schema];
  const [inner] = alternatives.filter(({ type }) => type !== 'null').map(resolve);
  return { ...inner, description: schema.description ?? inner.description, isNullable: Boolean(schema.anyOf) };
}

function toAttributes(input, update, response, path) {
  const names = [...new Set([...Object.keys(input.properties), ...Object.keys(response?.properties ?? {})])];
  return names.map((name) => {
    const inRequest = input.properties[name] && unwrap(input.properties[name]);
    const inResponse = response?.properties[name] && unwrap(response.properties[name]);
    const inUpdate = update?.properties[name] && unwrap(update.properties[name]);
    const place = `${path}.${name}`;
    const type = toType(inRequest ?? inResponse, inUpdate, inResponse, place);
    const nullValue = NULL_VALUES[place];
    const isOptional = inRequest && !input.required?.includes(name);
    const hasDefault = !inRequest?.isNullable || nullValue !== undefined;
    const { enum: values, examples } = inRequest ?? inResponse;
    const { enum: elements } = type.type === 'list' ? resolve((inRequest ?? inResponse).items) : {};
    return {
      name,
      ...type,
      description: toDescription(inRequest ?? inResponse, values ?? elements, nullValue),
      example: examples?.[0],
      required: Boolean(inRequest && !isOptional),
      optional: Boolean(isOptional),
      // Settings of a single object of a pipeline are returned as they were set.
      computed: Boolean(inResponse && (!inRequest || (isOptional && hasDefault))),
      writeOnly: Boolean(inRequest && response && !inResponse),
      sensitive: name === 'secret' || Boolean(response && inRequest && !inResponse && name !== 'adopt'),
      immutable: Boolean(
        update && inRequest && (inResponse || name === 'type') && (!inUpdate || isReadOnly(update, name)),
      ),
      nullValue,
      pattern: PATTERNS[place],
    };
  });
}

function isReadOnly(update, name) {
  return update.properties[name].readOnly === true;
}

function toType(schema, update, response, path) {
  if (schema.type === 'array') {
    const { type } = resolve(schema.items);
    return type === 'object' ? { type: 'json' } : { type: 'list', element: type };
  }
  if (['string', 'boolean', 'integer'].includes(schema.type)) return { type: schema.type };
  if (schema.type !== 'object') throw new Error(`${path}: the provider does not support the type ${schema.type}.`);
  if (schema.properties) {
    // An update that requires no field merges the fields.
    const merges = update !== undefined && update.required === undefined;
    const attributes = toAttributes(schema, merges ? update : undefined, merges ? response : undefined, path);
    return { type: 'object', merges, attributes };
  }
  const element = resolve(schema.additionalProperties);
  if (!element.properties) return { type: 'json' };
  return { type: 'map', attributes: toAttributes(element, undefined, undefined, path) };
}

function toDescription({ description = '' }, values, nullValue) {
  const parts = [description.trim()];
  if (values) parts.push(`Valid values: ${values.map((value) => `\`${value}\``).join(', ')}.`);
  if (nullValue !== undefined) parts.push(`In Terraform, write ${nullValue} instead of null.`);
  return parts.join(' ');
}

/** The page of a resource in the format of Terraform's registry. */
function toPage({ name, description, attributes }) {
  const rows = (list, prefix) =>
    list.flatMap((attribute) => {
      const path = prefix + attribute.name;
      const text = attribute.description.replaceAll('\n', ' ').replaceAll('|', '\\|');
      const separator = attribute.type === 'map' ? '.<name>.' : '.';
      return [
        `| \`${path}\` | ${toKind(attribute)} | ${text} |`,
        ...rows(attribute.attributes ?? [], path + separator),
      ];
    });
  const extra = EXTRA_ATTRIBUTES.filter(({ only }) => only.includes(name));
  const header = '| attribute | kind | meaning |\n| --- | --- | --- |\n';
  return [
    `# freshet_${name}`,
    description,
    '## Attributes',
    header + rows([...attributes, ...extra], '').join('\n'),
    '## Import',
    `The import ID is the name or the ID of the ${name}:`,
    `\`\`\`sh\nterraform import freshet_${name}.example 'the name'\n\`\`\``,
  ]
    .join('\n\n')
    .concat('\n');
}

function toKind({ type, required, optional, computed, writeOnly, immutable }) {
  const words = [type === 'json' ? 'JSON' : type];
  words.push(required ? 'required' : optional ? 'optional' : 'computed');
  if (optional && computed) words.push('keeps its value if omitted');
  if (writeOnly) words.push('write-only');
  if (immutable) words.push('a change replaces the resource');
  return words.join(', ');
}
