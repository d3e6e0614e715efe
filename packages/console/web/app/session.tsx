import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import type { Schemas } from '../api/client.ts';
import { api, getToken, setToken } from '../api/client.ts';
import { currentTokenQuery } from '../api/queries.ts';

const SESSION_PREFIX = 'frs_';

export interface Session {
  /** Whether a token is stored in this tab. */
  readonly isSignedIn: boolean;
  /** Whether the code of a sign-in link is being exchanged. */
  readonly isSigningIn: boolean;
  /** Why the sign-in link of this page failed. Null: there was no link, or it worked. */
  readonly linkError: Error | null;
  /** The token, without its value. Null: it has not been fetched yet. */
  readonly token: Schemas['CurrentToken'] | null;
  readonly signIn: (token: string) => void;
  readonly signOut: () => void;
}

const SessionContext = createContext<Session | null>(null);

/**
 * @param props.linkSession the session of the sign-in link with which the page was opened. Null:
 *   there is no link.
 */
export function SessionProvider({
  linkSession,
  children,
}: {
  readonly linkSession: Promise<Schemas['Session']> | null;
  readonly children: ReactNode;
}) {
  const queryClient = useQueryClient();
  const [isSignedIn, setSignedIn] = useState(getToken() !== null);
  const [isSigningIn, setSigningIn] = useState(linkSession !== null);
  const [linkError, setLinkError] = useState<Error | null>(null);
  const { data } = useQuery({ ...currentTokenQuery(), enabled: isSignedIn && !isSigningIn });
  useEffect(() => {
    linkSession
      ?.then(
        ({ token }) => {
          setToken(token);
          setSignedIn(true);
        },
        (error: Error) => {
          setLinkError(error);
          // Without a token, the sign-in page shows the error.
          if (getToken() !== null)
            notifications.show({
              title: 'The sign-in link was not used',
              message: `${error.message} You are still signed in with the previous token.`,
              color: 'yellow',
              autoClose: 10_000,
              role: 'alert',
              closeButtonProps: { 'aria-label': 'Close the message' },
            });
        },
      )
      .finally(() => setSigningIn(false));
  }, [linkSession]);
  const session = useMemo<Session>(
    () => ({
      isSignedIn,
      isSigningIn,
      linkError,
      token: isSignedIn ? (data ?? null) : null,
      signIn: (token) => {
        setToken(token);
        setSignedIn(true);
        setLinkError(null);
      },
      signOut: () => {
        endSession();
        setToken(null);
        setSignedIn(false);
        setLinkError(null);
        queryClient.clear();
      },
    }),
    [isSignedIn, isSigningIn, linkError, data, queryClient],
  );
  return <SessionContext value={session}>{children}</SessionContext>;
}

/** Ends the session of a sign-in link. An API token stays valid, because other clients use it. */
function endSession(): void {
  if (getToken()?.startsWith(SESSION_PREFIX) !== true) return;
  // If the request fails, the session expires later. The tab has already deleted the value.
  api()
    .delete('/v1/sessions/current')
    .catch(() => undefined);
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession requires a SessionProvider.');
  return session;
}
