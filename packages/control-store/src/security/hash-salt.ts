import type { SecretBox } from './secret-box.ts';

const buildAssociatedData = (pipelineId: string): string => `pipelines/${pipelineId}/hash_salt`;

/** Encrypts the salt of a pipeline's hashed fields. */
export function sealHashSalt(box: SecretBox, pipelineId: string, salt: Buffer): string {
  return box.seal(salt.toString('base64'), buildAssociatedData(pipelineId));
}

/** Decrypts the salt of a pipeline's hashed fields. */
export function openHashSalt(box: SecretBox, pipelineId: string, sealed: string): Buffer {
  return Buffer.from(box.open(sealed, buildAssociatedData(pipelineId)), 'base64');
}
