/** Icons as lines on a grid of 24 units. They are decorative, because each icon has a text. */
const PATHS = {
  pipelines: 'M4 7h5a4 4 0 0 1 4 4v2a4 4 0 0 0 4 4h3M17 14l3 3-3 3M4 17h3',
  usage: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  credentials: 'M14 10a4 4 0 1 0-3.5 4L13 16h2v2h2v2h3v-3l-6.2-6.2M9 9h.01',
  destinations:
    'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
  alerts: 'M6 16V11a6 6 0 1 1 12 0v5l2 2H4zM10 21h4',
  tokens: 'M12 3l8 3v6c0 5-3.5 7.8-8 9-4.5-1.2-8-4-8-9V6zM9 12l2 2 4-4',
  audit: 'M7 3h8l4 4v14H7zM10 11h6M10 15h6M15 3v4h4',
  system: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01',
  guides: 'M5 4h6a2 2 0 0 1 1 1 2 2 0 0 1 1-1h6v15h-6a2 2 0 0 0-1 1 2 2 0 0 0-1-1H5zM12 5v15',
  api: 'M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M19 5l-1.4 1.4M6.4 17.6L5 19',
  moon: 'M20 14.5A8 8 0 1 1 9.5 4a6.5 6.5 0 0 0 10.5 10.5z',
  signOut: 'M14 8V5H5v14h9v-3M10 12h11M18 9l3 3-3 3',
  help: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M12 16.5h.01',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8h.01',
  warning: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  error: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v6M12 16h.01',
  success: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 12l2.5 2.5 4.5-5',
  offline:
    'M3 3l18 18M8.5 16a5 5 0 0 1 7 0M5 12.5a10 10 0 0 1 4-2.4M19 12.5a10 10 0 0 0-3-2M2 9a15 15 0 0 1 4-2.7M22 9A15 15 0 0 0 11 5M12 20h.01',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 1 1 7 0v3',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  plus: 'M12 5v14M5 12h14',
  chevron: 'M8 10l4 4 4-4',
  play: 'M7 5l12 7-12 7z',
  pause: 'M8 5v14M16 5v14',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  table: 'M4 5h16v14H4zM4 10h16M10 10v9',
  chart: 'M4 4v16h16M8 15l3-4 3 2 5-6',
  reports: 'M4 4v16h16M8 16v-4M12 16V8M16 16v-6M20 16v-9',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  external: 'M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 3 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The logo of Freshet. */
export function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 20 20" aria-hidden="true">
      <rect width="20" height="20" rx="5" fill="#0f766e" />
      <path
        d="M4.5 8.5c2-2.4 3.7-2.4 5.5-.8s3.5 1.6 5.5-.7M4.5 13c2-2.4 3.7-2.4 5.5-.8s3.5 1.6 5.5-.7"
        fill="none"
        stroke="#fff"
        strokeWidth="1.7"
        strokeLinecap="round"
      />
    </svg>
  );
}
