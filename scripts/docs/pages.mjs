/**
 * The pages of the documentation site: the Markdown file of each page, its address below `/help/`,
 * and its place in the navigation. The addresses are a contract, because the console and earlier
 * releases link to them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * A page of the site.
 * @typedef {object} Page
 * @property {string} path the address below `/help/`. The address of a folder ends with a slash.
 * @property {string} source the Markdown file, relative to the root of the repository.
 * @property {string[]} [only] the headings of level 2 that the page contains. Absent: all.
 * @property {string[]} [without] the headings of level 2 that the page does not contain.
 * @property {string} [title] the title of the page. Absent: the first heading of the file.
 * @property {boolean} [isSplit] whether each heading of level 2 that `only` does not list becomes a
 *   page below `path`.
 * @property {boolean} [isHidden] whether the navigation omits the page.
 * @property {string} [label] the text in the navigation. Absent: the title.
 */

/**
 * A section of the navigation.
 * @typedef {object} Section
 * @property {string} text
 * @property {string} summary one sentence for the start page.
 * @property {boolean} [collapsed] whether the navigation shows the pages of the section only after
 *   a click.
 * @property {Page[]} pages
 */

const README = 'README.md';
/** The list of operations is generated from the OpenAPI document. */
const OPENAPI = 'docs/openapi.json';
const OVERVIEW = ['How it works', 'Guarantees'];
const START = ['Quickstart', 'Connect your account', 'Query the warehouse'];

/**
 * Lists the sections. Folders of pages are read from disk, so that a new page needs no entry here.
 * @param {string} root the root of the repository.
 * @returns {Section[]}
 */
export function listSections(root) {
  const sections = [...listUseSections(root), ...listRunSections(), ...listDevelopmentSections(root)];
  return sections.filter(({ pages }) => pages.length > 0);
}

/** The sections for users of the data. */
function listUseSections(root) {
  return [
    {
      text: 'Quickstart',
      summary: 'From a clone to the first rows in five minutes, on a simulated account or on yours.',
      pages: [{ path: 'quickstart', source: README, only: START, title: 'Quickstart' }],
    },
    {
      text: 'Guides',
      summary: 'Install Freshet, connect Freshdesk and PostgreSQL, and use the console and the integrations.',
      pages: [...listFolder(root, 'docs/guides', 'guides/'), { path: 'guides/console', source: 'docs/console.md' }],
    },
    {
      text: 'Concepts',
      summary: 'How data flows, what Freshet guarantees, and the contract of the warehouse.',
      pages: [
        { path: 'concepts/overview', source: README, only: OVERVIEW, title: 'How Freshet works' },
        { path: 'concepts/warehouse', source: 'docs/warehouse.md' },
        { path: 'concepts/glossary', source: 'docs/architecture.md', only: ['Glossary'], title: 'Glossary' },
      ],
    },
    {
      text: 'Objects',
      summary: 'Every Freshdesk object, with its table, columns, strategy and credits.',
      collapsed: true,
      pages: listObjects(),
    },
    {
      text: 'Analytics',
      summary: 'Metrics and reports on tickets, agents and customers.',
      pages: [
        ...listFile(root, 'docs/analytics.md', 'analytics/'),
        ...listFolder(root, 'docs/analytics', 'analytics/'),
        ...listFolder(root, 'docs/analytics/models', 'analytics/models/'),
      ],
    },
  ];
}

/** The sections for users of the API and for operators. */
function listRunSections() {
  return [
    {
      text: 'API',
      summary: 'From a token to a pipeline in production, and the meaning of each error.',
      pages: [
        { path: 'api/', source: OPENAPI, title: 'Operations', label: 'All operations' },
        { path: 'api/guide', source: 'docs/api-guide.md' },
        { path: 'api/errors', source: 'docs/errors.md', label: 'Error codes' },
      ],
    },
    {
      text: 'Operations',
      summary: 'Processes, deployment, upgrades, backups, metrics and a runbook for each alert.',
      pages: [{ path: 'operations', source: 'docs/operations.md', label: 'Operate Freshet' }],
    },
    {
      text: 'Security',
      summary: 'Roles, secrets, personal data, network, and OWASP mappings.',
      pages: [
        { path: 'security/', source: 'docs/security.md', label: 'Security of a deployment' },
        { path: 'security/policy', source: 'SECURITY.md', label: 'Report a vulnerability' },
      ],
    },
  ];
}

function listDevelopmentSections(root) {
  return [
    {
      text: 'Architecture',
      summary: 'The path of a record, the invariants, the decisions, and how to contribute.',
      collapsed: true,
      pages: [
        { path: 'architecture/', source: 'docs/architecture.md', without: ['Glossary'], label: 'Overview' },
        { path: 'architecture/decisions/', source: 'docs/decisions/README.md', label: 'Decisions' },
        ...listFolder(root, 'docs/decisions', 'architecture/decisions/').map((page) => ({ ...page, isHidden: true })),
        { path: 'architecture/simulator', source: 'docs/simulator.md' },
        ...listFile(root, 'bench/README.md', 'architecture/benchmarks'),
        { path: 'architecture/contributing', source: 'CONTRIBUTING.md' },
      ],
    },
    { text: 'FAQ', summary: 'Short answers to common questions.', pages: [{ path: 'faq', source: 'docs/faq.md' }] },
    {
      text: 'Comparison',
      summary: 'Freshet compared with Fivetran, Airbyte, Hevo and dlt, with dates and sources.',
      pages: [{ path: 'comparison', source: 'docs/comparison.md' }],
    },
    {
      text: 'Changelog',
      summary: 'The changes in each release.',
      pages: [{ path: 'changelog', source: 'CHANGELOG.md' }],
    },
  ];
}

function listFile(root, source, path) {
  return existsSync(join(root, source)) ? [{ path, source }] : [];
}

/** Lists the pages of a folder, except its README. */
function listFolder(root, folder, prefix) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => ({ path: prefix + basename(name, '.md'), source: `${folder}/${name}` }));
}

/** The object reference. Each of its sections becomes one page. */
function listObjects() {
  return [{ path: 'objects/', source: 'docs/objects.md', only: ['Strategies'], label: 'All objects', isSplit: true }];
}
