import { Freshet, type Schemas } from '@freshet/client';

/**
 * The session of the sign-in link with which the page was opened: `/console?code=…`. Null: the page
 * was opened without a code.
 *
 * The code is removed from the address bar and from the history of the tab when this module is
 * evaluated, which is before the router reads the address.
 */
export const linkSession: Promise<Schemas['Session']> | null = exchange(takeCode());

function takeCode(): string | null {
  const url = new URL(location.href);
  const code = url.searchParams.get('code');
  if (code === null) return null;
  url.searchParams.delete('code');
  history.replaceState(history.state, '', url);
  return code;
}

function exchange(code: string | null): Promise<Schemas['Session']> | null {
  if (code === null) return null;
  // A code is valid once, so a request whose response was lost must not be repeated.
  const session = new Freshet({ url: location.origin, token: '', maxAttempts: 1 }).post('/v1/sessions', {
    body: { code },
  });
  // `SessionProvider` handles the rejection, but only after its first render.
  session.catch(() => undefined);
  return session;
}
