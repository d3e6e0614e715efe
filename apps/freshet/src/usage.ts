/** The exit status of `diff` if there are changes. */
export const EXIT_DIFFERENT = 2;

/** The help text of the command line. */
export const USAGE = `Usage: freshet <command> [options]

Start a process of a deployment. The process reads its settings from the environment.
  api              HTTP API and console
  extract-worker   Extract records from Freshdesk
  load-worker      Load records into warehouses
  scheduler        Start scheduled runs and deliver notifications
  standalone       All processes, with an embedded PostgreSQL

Maintain a deployment.
  migrate          Migrate the control database to this release
  rotate-keys      Encrypt all secrets with the newest key of FRESHET_SECRET_KEYS
  sign-in          Print a link that opens the console signed in, once. Uses FRESHET_URL (address of the API)
                   and FRESHET_TOKEN, or the deployment that runs on the data folder FRESHET_DATA_DIR

Manage a deployment with a YAML file. Requires FRESHET_URL (address of the API) and FRESHET_TOKEN.
  diff             Show the changes that apply would make. Exit with status ${EXIT_DIFFERENT} if there are changes
  apply            Show the changes and apply them after confirmation
  export           Print the deployment as a file, without its secrets

Connect an assistant. Requires FRESHET_TOKEN, and FRESHET_URL or --url.
  mcp              Serve the Model Context Protocol over standard input and output
      --url URL    Address of the API

Options of diff and apply:
  -f, --file FILE  The file to apply. Use - to read standard input (required)
      --prune      Delete resources that the file does not contain
      --secrets    Update all secrets, including secrets that appear to be unchanged

Options of apply:
  -y, --yes        Apply without confirmation
      --adopt      Let new pipelines continue from the state of their existing tables

Exit status: 0 success, 1 failure, ${EXIT_DIFFERENT} differences (diff), 64 usage error or invalid file,
78 invalid configuration.
`;
