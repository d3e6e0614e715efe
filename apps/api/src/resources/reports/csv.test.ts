import { expect, test } from 'vitest';
import { toCsv } from './csv.ts';

const columns = [
  { name: 'company', type: 'text', description: '' },
  { name: 'score', type: 'numeric', description: '' },
  { name: 'is_exact', type: 'boolean', description: '' },
];
const format = (company: string | null, score: string | number | null = 1) =>
  toCsv({ columns, rows: [{ company, score, is_exact: true }] })
    .split('\r\n')
    .slice(1)
    .join('\r\n');

test('CSV has a header, line ends of RFC 4180, and empty fields for null', () => {
  expect(toCsv({ columns, rows: [{ company: null, score: null, is_exact: false }] })).toBe(
    'company,score,is_exact\r\n,,false\r\n',
  );
  expect(toCsv({ columns, rows: [] })).toBe('company,score,is_exact\r\n');
});

test('CSV quotes separators, quotes and line breaks, and retains all characters', () => {
  expect(format('Acme, "Inc"\nÜmläut')).toBe('"Acme, ""Inc""\nÜmläut",1,true\r\n');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('CSV escapes the text %j, which is a formula', (text) => {
  expect(format(text).replaceAll('"', '')).toBe(`'${text},1,true\r\n`);
});

test('CSV does not escape negative numbers', () => {
  expect(format('a', -2.5)).toBe('a,-2.5,true\r\n');
  expect(format('a', '-12345678901234567890')).toBe('a,-12345678901234567890,true\r\n');
});
