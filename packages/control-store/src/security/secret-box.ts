import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '@freshet/contracts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/**
 * Envelope encryption of stored secrets with AES-256-GCM. A data key encrypts each secret, and the
 * operator's key-encryption key wraps the data key. The associated data of the encrypted secret and
 * of the wrapped data key contains the row and the column, so a ciphertext that is copied to a
 * different row or column cannot be decrypted. To rotate keys, add the new key at the start of the
 * list. Earlier keys remain valid for decryption.
 *
 * Sealed form: `v1.<key id>.<wrapped data key>.<ciphertext>`. The last two parts are base64url of
 * iv ‖ tag ‖ bytes.
 */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #newest: string;

  /**
   * @param spec `FRESHET_SECRET_KEYS`: `<id>:<base64 of 32 bytes>`, comma-separated, newest first.
   * @throws AppError `configuration` when a key is invalid. The message contains the position of
   * the key, never its bytes.
   */
  constructor(spec: string) {
    const keys = new Map<string, Buffer>();
    for (const [i, entry] of spec.split(',').entries()) {
      const [id = '', encoded = ''] = entry.trim().split(':');
      const bytes = Buffer.from(encoded, 'base64');
      if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || bytes.length !== KEY_BYTES) {
        throw new AppError(
          'configuration',
          `FRESHET_SECRET_KEYS: entry ${i + 1} must be <id>:<base64 of 32 bytes>. Create one with: echo "k1:$(openssl rand -base64 32)"`,
        );
      }
      keys.set(id, bytes);
    }
    this.#keys = keys;
    this.#newest = keys.keys().next().value as string;
    // Self-test: fail at startup if encrypted data cannot be decrypted.
    if (this.open(this.seal('freshet', 'self-test'), 'self-test') !== 'freshet')
      throw new AppError('configuration', 'Encryption self-test failed: AES-256-GCM does not work on this machine.');
  }

  /**
   * Encrypts a secret.
   * @param associatedData the location of the secret, such as `credentials/<id>/secret`.
   */
  seal(secret: string, associatedData: string): string {
    const dataKey = randomBytes(KEY_BYTES);
    const wrapped = encrypt(this.#keys.get(this.#newest) as Buffer, dataKey, `${associatedData}#${this.#newest}`);
    return `v1.${this.#newest}.${wrapped}.${encrypt(dataKey, Buffer.from(secret, 'utf8'), associatedData)}`;
  }

  /**
   * Decrypts a secret.
   * @throws AppError `secret_unreadable` when the key that encrypted the secret is missing, or the
   * ciphertext was changed or moved.
   */
  open(sealed: string, associatedData: string): string {
    const [version, keyId = '', wrapped = '', body = ''] = sealed.split('.');
    const key = this.#keys.get(keyId);
    if (version !== 'v1' || key === undefined) {
      throw new AppError(
        'secret_unreadable',
        `A stored secret requires the key "${keyId}", which FRESHET_SECRET_KEYS does not contain. Add the key.`,
      );
    }
    try {
      const dataKey = decrypt(key, wrapped, `${associatedData}#${keyId}`);
      return decrypt(dataKey, body, associatedData).toString('utf8');
    } catch (cause) {
      throw new AppError(
        'secret_unreadable',
        `A stored secret cannot be decrypted with the key "${keyId}": either this key is not the key that encrypted the secret, or the ciphertext was changed or moved.`,
        { cause },
      );
    }
  }

  /**
   * Re-encrypts a sealed secret with the newest key. Null: the secret is already encrypted with the
   * newest key.
   */
  rewrap(sealed: string, associatedData: string): string | null {
    const [, keyId] = sealed.split('.');
    return keyId === this.#newest ? null : this.seal(this.open(sealed, associatedData), associatedData);
  }
}

function encrypt(key: Buffer, plain: Buffer, associatedData: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(associatedData, 'utf8'));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

function decrypt(key: Buffer, sealed: string, associatedData: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(associatedData, 'utf8'))
    .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}
