import type { TextKind } from '@freshet/freshdesk-extractor';
import { hash, pick } from './random.ts';

/**
 * Words with the typical difficulties of real texts: markup, emoji, right-to-left script, quotes,
 * control characters, spaces.
 */
const WORDS = [
  'invoice',
  'Rechnung',
  'löst',
  'nicht',
  'mehr',
  'parcel',
  'late',
  '“urgent”',
  'naïve',
  'café',
  '📦',
  '🔥',
  'مرحبا',
  '由紀',
  '<b>',
  '&amp;',
  'O’Brien',
  'C:\\temp\\x',
  'tab\there',
  '50 %',
  '—',
  'Ωmega',
  'zero\u200bwidth',
  "it's",
  '"quoted"',
  '𝒇𝒂𝒏𝒄𝒚',
  'refund',
  'login',
  'broken',
  'Zürich',
];
const FIRST = ['Lea', 'Omar', '由紀', 'Inês', 'Tomás', 'Priya', 'Zoë', 'Søren', 'Nguyễn', 'محمد'];
const LAST = ['Sommer', 'Haddad', '田中 🌸', 'Ferreira', 'Weiß', 'Nandan', "O'Neil", 'Ødegård', 'Văn', 'García-López'];

/** Generates text of a kind. The text is the same for equal arguments. */
export function generateText(kind: TextKind, seed: number, variant: number): string {
  const word = (n: number) => pick(WORDS, hash(seed, variant, n));
  const words = (count: number, from = 0) => Array.from({ length: count }, (_, n) => word(from + n)).join(' ');
  switch (kind) {
    case 'title':
      return words(3 + (variant % 5));
    case 'person':
      return `${pick(FIRST, hash(seed, variant, 1))} ${pick(LAST, hash(seed, variant, 2))}`;
    case 'email':
      return `user${variant}+${hash(seed, variant, 3) % 97}@acme${variant % 7}.example`;
    case 'phone':
      return `+49 30 ${1000000 + (hash(seed, variant, 4) % 8999999)}`;
    case 'paragraph':
      return `${words(20 + (variant % 40))}\n\n${words(10, 100)}`;
    case 'html':
      return `<div style="font-family:-apple-system, Arial;font-size:14px"><p>${words(20 + (variant % 60))}</p><ul><li>${words(5, 200)}</li></ul><br>\n</div>`;
    case 'uuid': {
      const hex = [0, 1, 2, 3].map((n) => hash(seed, variant, n).toString(16).padStart(8, '0')).join('');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    }
    default: {
      const never: never = kind;
      throw new Error(`Unknown kind of text: ${String(never)}.`);
    }
  }
}
