#!/usr/bin/env node
/** Writes the API's types, `src/api.ts`, from its document. Examples are left out: they are for the reference page, and half of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';

const document = JSON.parse(
  readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'),
  function (name, value) {
    return name === 'example' && 'schema' in this ? undefined : value;
  },
);
const ast = await openapiTS(document, { alphabetize: true, emptyObjectsUnknown: true, defaultNonNullable: false });
writeFileSync(
  process.argv[2] ?? fileURLToPath(new URL('src/api.ts', import.meta.url)),
  `${COMMENT_HEADER}${astToString(ast)}`,
);
