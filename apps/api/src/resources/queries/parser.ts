import { readFile } from 'node:fs/promises';
import type { ParserInstance } from 'libpg-query/wasm/libpg-query.js';
import { findParserFile } from './wasm-file.ts';

/** A token of a statement, with its position in the UTF-8 encoding of the statement. */
export interface Token {
  readonly text: string;
  readonly name: string;
}

/** The result of PostgreSQL's parser: the raw syntax trees of all statements. */
export interface SyntaxTree {
  readonly stmts?: readonly { readonly stmt?: Readonly<Record<string, unknown>> }[];
}

/** The statement is not valid SQL, or too complex for the parser. */
export class SqlSyntaxError extends Error {
  override readonly name = 'SqlSyntaxError';
}

const TOO_COMPLEX = 'the statement is nested too deeply';

let createInstance: Promise<() => Promise<ParserInstance>> | null = null;

/**
 * A parser for one statement: the parser of PostgreSQL 18, compiled to WebAssembly. Each parser has
 * its own instance, so a statement that exhausts the memory of an instance does not affect
 * later statements.
 */
export class SqlParser {
  readonly #instance: ParserInstance;

  private constructor(instance: ParserInstance) {
    this.#instance = instance;
  }

  /** Creates a parser. The first call compiles the WebAssembly module. */
  static async create(): Promise<SqlParser> {
    createInstance ??= loadParser();
    return new SqlParser(await (await createInstance)());
  }

  /** @throws SqlSyntaxError */
  parse(sql: string): SyntaxTree {
    return runParser(() => {
      const instance = this.#instance;
      const result = instance._wasm_parse_query_raw(this.#write(sql));
      const [tree, , error] = [0, 4, 8].map((offset) => instance.getValue(result + offset, 'i32')) as [
        number,
        number,
        number,
      ];
      if (error !== 0) throw new SqlSyntaxError(instance.UTF8ToString(instance.getValue(error, 'i32')));
      return JSON.parse(instance.UTF8ToString(tree)) as SyntaxTree;
    });
  }

  /** Splits a statement into its tokens, including comments. @throws SqlSyntaxError */
  scan(sql: string): Token[] {
    return runParser(() => {
      const result = this.#instance.UTF8ToString(this.#instance._wasm_scan(this.#write(sql)));
      // The result is the message of the error, unless it is JSON.
      if (!result.startsWith('{')) throw new SqlSyntaxError(result);
      const { tokens } = JSON.parse(result) as { tokens: { start: number; end: number; tokenName: string }[] };
      const bytes = Buffer.from(sql);
      return tokens.map(({ start, end, tokenName }) => ({
        text: bytes.subarray(start, end).toString(),
        name: tokenName,
      }));
    });
  }

  /** Copies a statement to the memory of the parser, and returns its address. */
  #write(sql: string): number {
    const bytes = this.#instance.lengthBytesUTF8(sql) + 1;
    const pointer = this.#instance._malloc(bytes);
    this.#instance.stringToUTF8(sql, pointer, bytes);
    return pointer;
  }
}

/** Converts a stack overflow or an abort of the parser to a `SqlSyntaxError`. */
function runParser<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError)
      throw new SqlSyntaxError(TOO_COMPLEX, { cause: error });
    throw error;
  }
}

/** Loads the module only when the first statement is parsed, so that the API starts without it. */
async function loadParser(): Promise<() => Promise<ParserInstance>> {
  const [{ default: create }, file] = await Promise.all([
    import('libpg-query/wasm/libpg-query.js'),
    readFile(findParserFile()),
  ]);
  const compiled = await WebAssembly.compile(file);
  const ignore = () => {};
  return () =>
    create({
      instantiateWasm(imports, done) {
        done(new WebAssembly.Instance(compiled, imports));
        return {};
      },
      print: ignore,
      printErr: ignore,
    });
}
