/**
 * Returns the nonce of this page. The content security policy applies only style elements that have
 * this nonce.
 */
export function getNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
}
