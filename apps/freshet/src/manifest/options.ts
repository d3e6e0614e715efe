/** The options of `diff` and `apply`. */
export const PLAN_OPTIONS = {
  file: {
    type: 'string',
    short: 'f',
    valueName: 'FILE',
    description: 'The file to apply. Use - to read standard input',
    isRequired: true,
  },
  prune: { type: 'boolean', description: 'Delete resources that the file does not contain' },
  secrets: { type: 'boolean', description: 'Update all secrets, including secrets that appear to be unchanged' },
} as const;

/** The settings of the commands that call the API. */
export const API_ENVIRONMENT = {
  FRESHET_URL: 'Address of the API, such as https://freshet.example.com',
  FRESHET_TOKEN: 'API token: frt_…',
};

export const FILE_EXAMPLE = 'FRESHET_URL=http://127.0.0.1:8080 FRESHET_TOKEN=frt_…';
