import { Type } from 'typebox';
import { defineSchema, object, string, timestamp } from '../../http/schemas.ts';

const code = string(
  'The sign-in code: `frc_`, 30 random characters and a checksum of 6 characters. The code is valid for one sign-in. The link is `/console?code=` followed by the code.',
  { pattern: '^frc_[0-9A-Za-z]{36}$', examples: ['frc_0123456789abcdefghijklmnopqrst012345'] },
);

export const SignInCode = defineSchema(
  'SignInCode',
  object(
    {
      code,
      expires_at: timestamp(
        'Time at which the code expires, 10 minutes after its creation.',
        '2026-01-31T12:10:00.000Z',
      ),
    },
    { description: 'A one-time sign-in code.' },
  ),
);

export const SessionInput = defineSchema(
  'SessionInput',
  object(
    { code: Type.String({ ...code, description: 'The sign-in code.' }) },
    { description: 'The code to exchange.' },
  ),
);

export const Session = defineSchema(
  'Session',
  object(
    {
      token: string(
        'The value of the session: `frs_`, 30 random characters and a checksum of 6 characters. Send this value like an API token.',
        { pattern: '^frs_[0-9A-Za-z]{36}$', examples: ['frs_0123456789abcdefghijklmnopqrst012345'] },
      ),
      expires_at: timestamp(
        'Time at which the session expires: 12 hours after the sign-in, or earlier if the token that created the code expires earlier.',
        '2026-02-01T00:00:00.000Z',
      ),
    },
    { description: 'A browser session.' },
  ),
);
