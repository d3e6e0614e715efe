/** The path of Scalar's script, which the plugin defines. */
export const SCRIPT_PATH = '/docs/js/scalar.js';

/**
 * The configuration of Scalar. `hideClientButton` to `telemetry` disable the features that send
 * data to other hosts or advertise services of Scalar. A browser test checks that none of them
 * appears.
 */
export const CONFIGURATION = {
  url: '/docs/openapi.json',
  theme: 'none',
  withDefaultFonts: false,
  hideClientButton: true,
  hideTestRequestButton: true,
  showToolbar: 'never',
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  telemetry: false,
  persistAuth: false,
  // The introduction links to the published document.
  documentDownloadType: 'none',
  // Only the samples of `code-samples.ts` are shown.
  hiddenClients: true,
  // The operations contain the same schemas.
  hideModels: true,
  defaultOpenFirstTag: false,
} as const;

/**
 * The hashes of the static style sheets that this version of Scalar inserts without the nonce of
 * the page. The browser test fails if a version inserts a different one.
 */
export const STYLE_HASHES = [
  'sha256-l/2OpPg0d+2VLTLgwjf5mQo2CYwHDEqdj5TjbfEyVJI=',
  'sha256-T13Uev3xCax2N28XaoAE8DOzQZKvPp7ZQVAi1iRREjo=',
  'sha256-40KQGHzqcLX0j0/CswImEj0NDj3SuSasHQWI8wf3jss=',
  'sha256-LGszelMz0+v6/EfEtNYVFCYH7w05IKqvd9gau6UXRbE=',
  'sha256-pHsb71H0inm4e/2PAd4VxKHPtF0RjY45uGpVA+/07+Q=',
  'sha256-sl1lUBzto0fM7KXXCPx5+LnwjlxnZQk7djY0H+totXk=',
  'sha256-im4bR8m0i9OTwS6FwAG4MKlk4URQdZkDu1Tx9kDpKNw=',
  'sha256-v6FGbsebOHJ39qjwyswuNyhVylA7DHti/pqoiIvwbXQ=',
];

/**
 * Sets colors that give all texts sufficient contrast, and hides the link to the vendor of Scalar,
 * which has no setting.
 */
export const STYLE = `
body { margin: 0; }
.light-mode {
  --scalar-color-1: #1b1f24;
  --scalar-color-2: #4a525c;
  --scalar-color-3: #59626d;
  --scalar-color-accent: #0b5c7a;
  --scalar-background-1: #fff;
  --scalar-background-2: #f6f7f8;
  --scalar-background-3: #e7e9ec;
  --scalar-border-color: #dcdfe3;
  --scalar-color-green: #0a6b3d;
  --scalar-color-red: #b42318;
  --scalar-color-yellow: #7a5200;
  --scalar-color-blue: #0b5c9e;
  --scalar-color-orange: #8f4200;
  --scalar-color-purple: #6b3fa0;
}
.dark-mode {
  --scalar-color-1: #e8eaed;
  --scalar-color-2: #b6bcc4;
  --scalar-color-3: #a3abb5;
  --scalar-color-accent: #7cc7e2;
  --scalar-background-1: #14171b;
  --scalar-background-2: #1c2026;
  --scalar-background-3: #2a2f37;
  --scalar-border-color: #343a43;
  --scalar-color-green: #5fd197;
  --scalar-color-red: #ff9187;
  --scalar-color-yellow: #f0c45c;
  --scalar-color-blue: #7fbcff;
  --scalar-color-orange: #ffb07a;
  --scalar-color-purple: #c9a6ff;
}
.light-mode, .dark-mode {
  --scalar-sidebar-search-color: var(--scalar-color-3);
  --scalar-sidebar-color-2: var(--scalar-color-2);
}
a[href*="scalar.com"] { display: none !important; }
`;
