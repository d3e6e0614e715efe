/** The Emscripten module of libpg-query, which the package wraps but does not declare. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface ParserInstance {
    lengthBytesUTF8(text: string): number;
    stringToUTF8(text: string, pointer: number, bytesMax: number): void;
    UTF8ToString(pointer: number): string;
    getValue(pointer: number, type: 'i32'): number;
    _malloc(bytes: number): number;
    /** Returns a `PgQueryParseResult`: pointers to the tree, to a log and to the error. */
    _wasm_parse_query_raw(text: number): number;
    /** Returns a pointer to a JSON text. */
    _wasm_scan(text: number): number;
  }
  interface Options {
    readonly instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance) => void,
    ) => Record<string, never>;
    readonly print: () => void;
    readonly printErr: () => void;
  }
  const createInstance: (options: Options) => Promise<ParserInstance>;
  export default createInstance;
}

/** The part of the WebAssembly API that the parser uses. The types of Node.js omit it. */
declare namespace WebAssembly {
  type Imports = Readonly<Record<string, object>>;
  class Module {
    private constructor();
  }
  class Instance {
    constructor(module: Module, imports: Imports);
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>;
}
