import { createHash } from 'node:crypto';
import { ALLOWED_FUNCTIONS, ALLOWED_TYPES } from './allowed-functions.ts';
import { SqlParser, SqlSyntaxError, type SyntaxTree, type Token } from './parser.ts';
import { ALLOWED_NODES, type Field, LOCATION_FIELDS, REJECTED_SYNTAX } from './syntax.ts';

/** A query that has been checked. */
export interface CheckedQuery {
  /** The query without comments. Only this text may be executed. */
  readonly sql: string;
  /** The query with `?` instead of constants, which may be personal data. */
  readonly pattern: string;
  /** The SHA-256 digest of the query as it was sent, in hexadecimal digits. */
  readonly digest: string;
  /** The tables and the common table expressions that the query reads. */
  readonly tables: readonly QueryTable[];
  /** The names of all columns, functions, operators and types that the query uses. */
  readonly names: readonly string[];
  /**
   * The names that follow a dot in an expression, such as `id` in `t.id` and in `(row).id`. If no
   * column has the name, PostgreSQL calls a function, or casts to a type, with this name.
   */
  readonly attributes: readonly string[];
}

export interface QueryTable {
  /** Null: the name is not qualified, or it is the name of a common table expression. */
  readonly schema: string | null;
  readonly name: string;
}

/** The reason for rejecting a query. */
export class RejectedQuery extends Error {
  override readonly name = 'RejectedQuery';
}

/** The maximum length of a query in bytes. */
export const SQL_BYTES_MAX = 20_000;
/**
 * The parser needs quadratic time for nested comments and for plus signs without spaces between
 * them.
 */
const COMMENTS_MAX = 100;
const LONG_SIGN_RUN = /\+[-+]{63}|[-+]{63}\+/;
const DEPTH_MAX = 200;
const NODES_MAX = 20_000;
const COMMENT_TOKENS = new Set(['SQL_COMMENT', 'C_COMMENT']);
const CONSTANT_TOKENS = new Set(['SCONST', 'USCONST', 'ICONST', 'FCONST', 'BCONST', 'XCONST']);
/** Syntax that an earlier release of PostgreSQL reads as a call of a function. */
const FUNCTION_LIKE_SYNTAX: Readonly<Record<string, string>> = {
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};
/** Operators that some syntax applies without naming them. */
const IMPLICIT_OPERATORS: Readonly<Record<string, readonly string[]>> = {
  // BETWEEN.
  A_Expr: ['<', '<=', '>', '>='],
  // CASE value WHEN.
  CaseExpr: ['='],
  // USING and NATURAL JOIN.
  JoinExpr: ['='],
  // IN (SELECT).
  SubLink: ['='],
};
const DATE_AND_TIME = /^SVFOP_(CURRENT_DATE|CURRENT_TIME|CURRENT_TIMESTAMP|LOCALTIME|LOCALTIMESTAMP)(_N)?$/;

/**
 * Checks that a text is one `SELECT` that only reads tables in the given schemas, and that only
 * uses the allowed syntax, functions and types. See `syntax.ts` and `allowed-functions.ts`.
 * @throws RejectedQuery
 */
export async function checkQuery(text: string, schemas: readonly string[]): Promise<CheckedQuery> {
  checkText(text);
  const parser = await SqlParser.create();
  try {
    const tokens = parser.scan(text).filter(({ name }) => !COMMENT_TOKENS.has(name));
    // The parser and the server must see the same text, so comments are removed first. A line break
    // separates the tokens, because string constants on two lines are concatenated.
    const sql = omitFinalSemicolon(tokens)
      .map((token) => token.text)
      .join('\n');
    const validator = new Validator(new Set(schemas));
    validator.checkStatements(parser.parse(sql));
    return {
      sql,
      pattern: toPattern(omitFinalSemicolon(tokens)),
      digest: createHash('sha256').update(text).digest('hex'),
      tables: [...validator.tables.values()],
      names: [...validator.names],
      attributes: [...validator.attributes],
    };
  } catch (error) {
    if (error instanceof SqlSyntaxError) throw new RejectedQuery(`The query is not valid SQL: ${error.message}.`);
    throw error;
  }
}

/** Rejects texts that the parser, the driver and the server could interpret differently. */
function checkText(text: string): void {
  if (text.trim() === '') throw new RejectedQuery('The query is empty. Send one SELECT statement.');
  if (text.includes('\0')) throw new RejectedQuery('The query contains a NUL character. Remove the character.');
  if (!text.isWellFormed())
    throw new RejectedQuery('The query contains an unpaired surrogate. Send valid Unicode text.');
  if (Buffer.byteLength(text) > SQL_BYTES_MAX)
    throw new RejectedQuery(`The query is longer than ${SQL_BYTES_MAX} bytes. Shorten the query.`);
  if (LONG_SIGN_RUN.test(text))
    throw new RejectedQuery('The query contains more than 63 consecutive plus and minus signs. Remove them.');
  if (text.split('/*').length > COMMENTS_MAX)
    throw new RejectedQuery(`The query contains "/*" more than ${COMMENTS_MAX - 1} times. Remove comments.`);
}

function omitFinalSemicolon(tokens: readonly Token[]): readonly Token[] {
  return tokens.at(-1)?.text === ';' ? tokens.slice(0, -1) : tokens;
}

function toPattern(tokens: readonly Token[]): string {
  return tokens.map(({ text, name }) => (CONSTANT_TOKENS.has(name) ? '?' : text)).join(' ');
}

type SyntaxNode = Readonly<Record<string, unknown>>;

/** Checks a syntax tree, and collects the names of the tables. */
class Validator {
  /** By qualified name. */
  readonly tables = new Map<string, QueryTable>();
  readonly names = new Set<string>();
  readonly attributes = new Set<string>();
  readonly #schemas: ReadonlySet<string>;
  #nodes = 0;

  constructor(schemas: ReadonlySet<string>) {
    this.#schemas = schemas;
  }

  checkStatements({ stmts = [] }: SyntaxTree): void {
    const [statement] = stmts;
    if (statement?.stmt === undefined) throw new RejectedQuery('The query is empty. Send one SELECT statement.');
    if (stmts.length > 1)
      throw new RejectedQuery(`The query contains ${stmts.length} statements. Send one SELECT statement.`);
    const [type = ''] = Object.keys(statement.stmt);
    if (type !== 'SelectStmt')
      throw new RejectedQuery(`The statement is not a SELECT (${toReadableName(type)}). Send one SELECT statement.`);
    this.#checkNode(statement.stmt, 0);
  }

  /** Checks a node with its type: `{ A_Const: { … } }`. */
  #checkNode(node: unknown, depth: number): void {
    if (typeof node !== 'object' || node === null || Array.isArray(node))
      throw new RejectedQuery('The query contains unknown syntax.');
    for (const [type, content] of Object.entries(node)) this.#checkContent(type, content as SyntaxNode, depth);
  }

  #checkContent(type: string, content: SyntaxNode, depth: number): void {
    this.#nodes += 1;
    if (depth > DEPTH_MAX || this.#nodes > NODES_MAX)
      throw new RejectedQuery('The query is too complex. Split the query, or use fewer nested expressions.');
    const fields = Object.hasOwn(ALLOWED_NODES, type) ? ALLOWED_NODES[type] : undefined;
    if (fields === undefined) throw createSyntaxRejection(type);
    for (const [name, value] of Object.entries(content)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : LOCATION_FIELDS.has(name) ? 'value' : undefined;
      if (field === undefined) throw createSyntaxRejection(`${type}.${name}`);
      this.#checkField(field, value, depth + 1);
    }
    this.#checkNames(type, content);
  }

  #checkField(field: Field, value: unknown, depth: number): void {
    if (field === 'value' || field === 'checked') return;
    if (field === 'node') this.#checkNode(value, depth);
    else if (field === 'nodes') {
      // A list can contain lists, and an empty element is an empty JSON object.
      for (const item of value as readonly unknown[]) this.#checkNode(item, depth);
    } else this.#checkContent(field.slice(1), value as SyntaxNode, depth);
  }

  /** Checks the names of tables, functions, types, operators and collations. */
  #checkNames(type: string, node: SyntaxNode): void {
    const functionName = FUNCTION_LIKE_SYNTAX[type];
    if (functionName !== undefined) this.names.add(functionName);
    if (type !== 'A_Expr' || String(node['kind']).includes('BETWEEN'))
      for (const operator of IMPLICIT_OPERATORS[type] ?? []) this.names.add(operator);
    switch (type) {
      case 'RangeVar':
        return this.#checkTable(node);
      case 'String':
        this.names.add(String(node['sval']));
        return undefined;
      case 'ColumnRef':
        return this.#collectAttributes((node['fields'] as readonly unknown[]).slice(1));
      case 'A_Indirection':
        return this.#collectAttributes(node['indirection'] as readonly unknown[]);
      case 'FuncCall':
        return checkFunction(this.#collectNames(node['funcname']));
      case 'TypeName':
        return checkType(this.#collectNames(node['names']));
      case 'A_Expr':
        return checkSystemName('operator', this.#collectNames(node['name']));
      case 'SubLink':
        return node['operName'] === undefined
          ? undefined
          : checkSystemName('operator', this.#collectNames(node['operName']));
      case 'CollateClause':
        return checkSystemName('collation', this.#collectNames(node['collname']));
      case 'SQLValueFunction':
        if (DATE_AND_TIME.test(String(node['op']))) return undefined;
        throw new RejectedQuery(
          `The query uses ${toReadableName(String(node['op']).replace('SVFOP_', ''))}, which is not available.`,
        );
      default:
        return undefined;
    }
  }

  /** Collects the names among the parts of a reference. Other parts are `*` and indexes. */
  #collectAttributes(parts: readonly unknown[]): void {
    for (const part of parts as readonly { readonly String?: { readonly sval?: string } }[])
      if (part.String !== undefined) this.attributes.add(part.String.sval ?? '');
  }

  /** Converts the parts of a qualified name. An empty list is rejected by the callers. */
  #collectNames(value: unknown): string[] {
    if (!Array.isArray(value)) return [];
    const names = value.map((item: { readonly String?: { readonly sval?: string } }) => item.String?.sval ?? '');
    for (const name of names) this.names.add(name);
    return names;
  }

  #checkTable({ schemaname: schema, relname, relpersistence }: SyntaxNode): void {
    const name = String(relname);
    if (schema !== undefined && !this.#schemas.has(String(schema)))
      throw new RejectedQuery(
        `The table ${String(schema)}.${name} is not in a schema of the pipeline. Use tables in: ${[...this.#schemas].join(', ')}.`,
      );
    // An unqualified name could be a table of the system catalog, whose tables begin with pg_.
    if (/^pg_/i.test(name))
      throw new RejectedQuery(`The table ${name} belongs to the system catalog. Use the tables of the pipeline.`);
    if (relpersistence !== undefined && relpersistence !== 'p')
      throw new RejectedQuery('The query contains unknown syntax.');
    const table = { schema: schema === undefined ? null : String(schema), name };
    this.tables.set(formatTable(table), table);
  }
}

/** Formats the name of a table for messages and for the audit log. */
export function formatTable({ schema, name }: QueryTable): string {
  return schema === null ? name : `${schema}.${name}`;
}

function checkFunction(names: readonly string[]): void {
  const name = toSystemName(names);
  if (name !== null && ALLOWED_FUNCTIONS.has(name)) return;
  throw new RejectedQuery(
    `The function ${names.join('.')} is not available. Queries can call functions that only compute a value from their arguments.`,
  );
}

function checkType(names: readonly string[]): void {
  const name = toSystemName(names);
  if (name !== null && ALLOWED_TYPES.has(name)) return;
  throw new RejectedQuery(`The type ${names.join('.')} is not available. Cast to a standard type, such as text.`);
}

function checkSystemName(kind: string, names: readonly string[]): void {
  if (toSystemName(names) !== null) return;
  throw new RejectedQuery(`The ${kind} ${names.join('.')} is not available. Use a ${kind} of PostgreSQL.`);
}

/** Returns a name without the schema `pg_catalog`. Null: the name has a different schema. */
function toSystemName(names: readonly string[]): string | null {
  const [first, second] = names;
  if (names.length === 1) return first ?? null;
  return names.length === 2 && first === 'pg_catalog' ? (second ?? null) : null;
}

function createSyntaxRejection(key: string): RejectedQuery {
  const [type = ''] = key.split('.');
  const name = REJECTED_SYNTAX[key] ?? REJECTED_SYNTAX[type] ?? toReadableName(key);
  return new RejectedQuery(`The query uses ${name}, which is not available in read-only queries.`);
}

/** Converts a name of the parser, such as `CreateTableAsStmt`, to words. */
function toReadableName(name: string): string {
  return name
    .replace(/Stmt$/, '')
    .replaceAll('.', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toUpperCase();
}
