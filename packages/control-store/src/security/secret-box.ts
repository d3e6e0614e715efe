import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AppError } from '@freshet/contracts';

/**
 * Secrets at rest: each is encrypted with a data key of its own (AES-256-GCM), and that key with the
 * operator's key-encryption key. Both are bound to the row and column they stand in, so a sealed text that is
 * copied elsewhere does not open. Rotation: a new key goes first in the list; old ones still open.
 *
 * Sealed form: `v1.<key id>.<wrapped data key>.<sealed text>`; each sealed part is base64url of iv ‖ tag ‖ bytes.
 */
export class SecretBox {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #newest: string;

  /**
   * @param spec `FRESHET_SECRET_KEYS`: `<id>:<base64 of 32 bytes>`, comma-separated, newest first.
   * @throws AppError `configuration` that names the entry, never its bytes.
   */
  constructor(spec: string) {
    const keys = new Map<string, Buffer>();
    for (const [i, entry] of spec.split(',').entries()) {
      const [id = '', encoded = ''] = entry.trim().split(':');
      const bytes = Buffer.from(encoded, 'base64');
      if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || bytes.length !== 32) {
        throw new AppError(
          'configuration',
          `FRESHET_SECRET_KEYS: entry ${i + 1} must be <id>:<base64 of 32 bytes>. Make one with: echo "k1:$(openssl rand -base64 32)"`,
        );
      }
      keys.set(id, bytes);
    }
    this.#keys = keys;
    this.#newest = keys.keys().next().value as string;
    // A self-test: a box that cannot open what it sealed must not seal anything.
    if (this.open(this.seal('freshet', 'self-test'), 'self-test') !== 'freshet')
      throw new AppError('configuration', 'Encryption does not work on this machine.');
  }

  /** @param boundTo where the secret stands, such as `credentials/<id>/secret`. */
  seal(secret: string, boundTo: string): string {
    const dataKey = randomBytes(32);
    const wrapped = encrypt(this.#keys.get(this.#newest) as Buffer, dataKey, `${boundTo}#${this.#newest}`);
    return `v1.${this.#newest}.${wrapped}.${encrypt(dataKey, Buffer.from(secret, 'utf8'), boundTo)}`;
  }

  /** @throws AppError `secret_unreadable` when the key is missing, or the text was changed or moved. */
  open(sealed: string, boundTo: string): string {
    const [version, keyId = '', wrapped = '', body = ''] = sealed.split('.');
    const key = this.#keys.get(keyId);
    if (version !== 'v1' || key === undefined) {
      throw new AppError(
        'secret_unreadable',
        `A stored secret needs the key "${keyId}", which FRESHET_SECRET_KEYS does not hold.`,
      );
    }
    try {
      return decrypt(decrypt(key, wrapped, `${boundTo}#${keyId}`), body, boundTo).toString('utf8');
    } catch (cause) {
      throw new AppError(
        'secret_unreadable',
        `A stored secret does not open with the key "${keyId}": the key differs, or the stored text was changed or moved.`,
        { cause },
      );
    }
  }

  /** The same secret under the newest key; null when it already is. The secret itself is not touched. */
  rewrap(sealed: string, boundTo: string): string | null {
    const [, keyId] = sealed.split('.');
    return keyId === this.#newest ? null : this.seal(this.open(sealed, boundTo), boundTo);
  }
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

function encrypt(key: Buffer, plain: Buffer, aad: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(aad, 'utf8'));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

function decrypt(key: Buffer, sealed: string, aad: string): Buffer {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(aad, 'utf8'))
    .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}
