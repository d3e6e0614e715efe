import { createHash } from 'node:crypto';
import { ERROR_POLICY } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { getErrorReferenceUrl, toHtml, toMarkdown } from './error-reference.ts';

const CODES = [...Object.keys(ERROR_POLICY), 'method_not_allowed'];

describe('error reference', () => {
  test('has exactly one entry for each error code, and `type` links to this entry', () => {
    const { body } = toHtml();
    const markdown = toMarkdown();
    for (const code of CODES) {
      const [path, fragment] = getErrorReferenceUrl(code).split('#');
      expect(path).toBe('/docs/errors');
      expect(body.split(`<tr id="${fragment}">`), code).toHaveLength(2);
      expect(markdown.split(`<a id="${fragment}"></a>`), code).toHaveLength(2);
    }
  });

  test('the content security policy of the page permits only its style sheet', () => {
    const { body, contentSecurityPolicy } = toHtml();
    const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(contentSecurityPolicy).toContain("default-src 'none'");
    expect(contentSecurityPolicy).toContain(`style-src 'sha256-${hash}'`);
    expect(body).not.toMatch(/<script|\sstyle=|\son\w+=/);
  });

  test('the page renders code spans and escapes special characters', () => {
    const { body } = toHtml();
    expect(body).toContain('<code>GRANT</code>');
    expect(body.replace(/<\/?(?:!doctype html|[a-z0-9]+)(?:\s[^>]*)?>/g, '')).not.toMatch(/[<>`]/);
  });
});
