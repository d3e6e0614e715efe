import { AppError } from '@freshet/contracts';
import type { App } from '../app.ts';

/** PostgreSQL stores no U+0000, and half a surrogate pair would be read back as another character: neither is taken, wherever it stands. */
export function registerText(app: App): void {
  app.addHook('preValidation', async ({ body, query, params }) => {
    check(body, '');
    check(query, '/querystring');
    check(params, '/params');
  });
}

function check(value: unknown, pointer: string): void {
  if (typeof value === 'string') {
    if (value.isWellFormed() && !value.includes('\0')) return;
    throw new AppError('invalid_input', `${pointer || '/'}: holds a character that cannot be stored: U+0000, or half of a surrogate pair.`, {
      context: { pointer: pointer || '/' },
    });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    check(name, pointer);
    check(inner, at);
  }
}
