import { defineCommand } from '../cli/command.ts';
import { replaceProcess } from '../cli/replace-process.ts';

export const rotateKeys = defineCommand({
  name: 'rotate-keys',
  group: 'maintenance',
  summary: 'Encrypt all secrets again, with the newest key in FRESHET_SECRET_KEYS',
  environment: {
    DATABASE_URL: 'URL of the control database',
    FRESHET_SECRET_KEYS: 'The new key, followed by the keys that are in use',
  },
  examples: [
    {
      command: 'DATABASE_URL=postgres://… FRESHET_SECRET_KEYS=k2:…,k1:… freshet rotate-keys',
      purpose: 'Replace the key k1 with the key k2',
    },
  ],
  run: () => replaceProcess('api/src/rotate-keys', [], process.env),
});
