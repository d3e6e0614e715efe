#!/usr/bin/env node
/**
 * `npm run generate:python`: generates the models of the Python client from the OpenAPI document,
 * and the sync client from the async client. Requires Python 3 with venv, and access to PyPI.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPythonEnvironment, runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PYTHON = join(ROOT, 'integrations/python');
const bin = createPythonEnvironment(ROOT, 'tools', join(PYTHON, 'requirements/tools.txt'));
const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
runOrExit(join(bin, 'python'), [join(PYTHON, 'generate.py'), ...process.argv.slice(2)], { env });
