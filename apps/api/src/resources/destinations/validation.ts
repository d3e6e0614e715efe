import { X509Certificate } from 'node:crypto';
import type { FieldProblem } from '../../http/field-problems.ts';

/**
 * Finds a value of `ssl_ca` that is not a certificate. Without this check, connections would fail
 * with an obscure OpenSSL message.
 */
export function findCaProblems(pem: string | null | undefined): FieldProblem[] {
  if (pem === null || pem === undefined) return [];
  try {
    new X509Certificate(pem);
    return [];
  } catch {
    const detail = 'ssl_ca must be a PEM certificate, including the line -----BEGIN CERTIFICATE-----.';
    return [{ pointer: '/ssl_ca', detail }];
  }
}
