import { Freshet, type Schemas } from '@freshet/client';
import { getToken } from '../api/client.ts';

/** A sign-in link with which the page was opened: `/console?code=…`. */
export interface SignInLink {
  /** Exchanges the code for a session. A code is valid once, so all calls return one session. */
  readonly exchange: () => Promise<Schemas['Session']>;
}

/**
 * The sign-in link with which the page was opened. Null: the page was opened without a code.
 *
 * The code is removed from the address bar and from the history of the tab when this module is
 * evaluated, which is before the router reads the address.
 */
export const signInLink: SignInLink | null = createLink(takeCode());

// A tab that is signed in asks the user first.
if (getToken() === null) void signInLink?.exchange();

function takeCode(): string | null {
  const url = new URL(location.href);
  const code = url.searchParams.get('code');
  if (code === null) return null;
  url.searchParams.delete('code');
  history.replaceState(history.state, '', url);
  return code;
}

function createLink(code: string | null): SignInLink | null {
  if (code === null) return null;
  let session: Promise<Schemas['Session']> | null = null;
  return {
    exchange: () => {
      if (session !== null) return session;
      // A request whose response was lost must not be repeated.
      session = new Freshet({ url: location.origin, token: '', maxAttempts: 1 }).post('/v1/sessions', {
        body: { code },
      });
      // `SessionProvider` handles the rejection, but only after its first render.
      session.catch(() => undefined);
      return session;
    },
  };
}
