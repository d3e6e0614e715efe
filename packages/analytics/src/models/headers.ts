import { AppError } from '@freshet/contracts';
import { parse } from 'yaml';

/** Splits a file into the YAML of its first comment and the SQL after the comment. */
export function splitHeader(file: string, content: string): { readonly header: unknown; readonly sql: string } {
  const match = /^\s*\/\*([\s\S]*?)\*\/\s*/.exec(content);
  if (match === null) throw new AppError('bug', `${file} does not begin with a comment that holds its header.`);
  return { header: parse(match[1] as string), sql: content.slice(match[0].length).trim() };
}

/** Reads text fields and columns from the header of a file. */
export class Header {
  readonly #file: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(file: string, header: unknown) {
    this.#file = file;
    this.#fields = header as Readonly<Record<string, unknown>>;
  }

  getText(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || value === '') throw new AppError('bug', `${this.#file}: ${name} must be text.`);
    return value.trim();
  }

  getOptionalText(name: string): string | null {
    return this.#fields[name] === undefined ? null : this.getText(name);
  }

  isSet(name: string): boolean {
    return this.#fields[name] === true;
  }

  getList<T = string>(name: string): readonly T[] {
    return (this.#fields[name] as readonly T[] | undefined) ?? [];
  }

  getColumns(): { readonly name: string; readonly type: string; readonly description: string }[] {
    const columns = this.#fields['columns'] as Readonly<Record<string, { type?: string; description?: string }>>;
    return Object.entries(columns).map(([name, { type, description }]) => {
      if (!type || !description) throw new AppError('bug', `${this.#file}: ${name} lacks a type or a description.`);
      return { name, type, description: description.trim() };
    });
  }
}
