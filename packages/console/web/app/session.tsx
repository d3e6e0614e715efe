import { FreshetError } from '@freshet/client';
import { notifications } from '@mantine/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import type { Schemas } from '../api/client.ts';
import { api, getToken, setToken } from '../api/client.ts';
import { currentTokenQuery } from '../api/queries.ts';
import type { SignInLink } from './sign-in-link.ts';

const SESSION_PREFIX = 'frs_';

export interface Session {
  /** Whether a token is stored in this tab. */
  readonly isSignedIn: boolean;
  /** Whether the code of a sign-in link is being exchanged. */
  readonly isSigningIn: boolean;
  /** The choice of a user who is signed in and has opened a sign-in link. Null: there is none. */
  readonly linkChoice: LinkChoice | null;
  /** Why the sign-in link of this page failed. Null: there was no link, or it worked. */
  readonly linkError: Error | null;
  /** The token, without its value. Null: it has not been fetched yet. */
  readonly token: Schemas['CurrentToken'] | null;
  readonly signIn: (token: string) => void;
  readonly signOut: () => void;
}

/**
 * The options of a user who is signed in and opens a sign-in link. Without this confirmation, a
 * link of another person could replace the session unnoticed.
 */
export interface LinkChoice {
  readonly useLink: () => void;
  readonly ignoreLink: () => void;
}

const SessionContext = createContext<Session | null>(null);

/**
 * @param props.link the sign-in link with which the page was opened. Null: there is no link.
 */
export function SessionProvider({
  link,
  children,
}: {
  readonly link: SignInLink | null;
  readonly children: ReactNode;
}) {
  const queryClient = useQueryClient();
  const [isSignedIn, setSignedIn] = useState(getToken() !== null);
  const { linkState, setLinkState, linkError, setLinkError } = useLink(link, () => {
    setSignedIn(true);
    // Data that was fetched with the previous token may differ.
    void queryClient.resetQueries();
  });
  const { data, error } = useQuery({ ...currentTokenQuery(), enabled: isSignedIn && linkState !== 'exchanging' });
  const isRejected = error instanceof FreshetError && error.status === 401;
  useEffect(() => {
    // The stored token is no longer valid, so there is no session to replace.
    if (linkState !== 'asking' || !isRejected) return;
    setToken(null);
    setSignedIn(false);
    setLinkState('exchanging');
  }, [linkState, isRejected, setLinkState]);
  const isLoading = data === undefined && error === null;
  const session = useMemo<Session>(
    () => ({
      isSignedIn,
      isSigningIn: linkState === 'exchanging' || (linkState === 'asking' && (isLoading || isRejected)),
      linkChoice:
        linkState === 'asking'
          ? { useLink: () => setLinkState('exchanging'), ignoreLink: () => setLinkState('none') }
          : null,
      linkError,
      token: isSignedIn ? (data ?? null) : null,
      signIn: (token) => {
        setToken(token);
        setSignedIn(true);
        setLinkError(null);
      },
      signOut: () => {
        endSession(getToken());
        setToken(null);
        setSignedIn(false);
        setLinkError(null);
        queryClient.clear();
      },
    }),
    [isSignedIn, linkState, setLinkState, linkError, setLinkError, data, isLoading, isRejected, queryClient],
  );
  return <SessionContext value={session}>{children}</SessionContext>;
}

/**
 * Exchanges the code of a link. If the tab is signed in, waits for the decision of the user.
 * @param onSession is called when the session of the link is stored in this tab.
 */
function useLink(link: SignInLink | null, onSession: () => void) {
  const [linkState, setLinkState] = useState<'none' | 'asking' | 'exchanging'>(
    link === null ? 'none' : getToken() === null ? 'exchanging' : 'asking',
  );
  const [linkError, setLinkError] = useState<Error | null>(null);
  useEffect(() => {
    if (link === null || linkState !== 'exchanging') return;
    link
      .exchange()
      .then(
        ({ token }) => {
          if (token !== getToken()) endSession(getToken());
          setToken(token);
          onSession();
        },
        (error: Error) => {
          setLinkError(error);
          // Without a token, the sign-in page shows the error.
          if (getToken() !== null) notifyLinkError(error);
        },
      )
      .finally(() => setLinkState('none'));
    // `onSession` is omitted: each render creates a new function with the same effect.
  }, [link, linkState]);
  return { linkState, setLinkState, linkError, setLinkError };
}

function notifyLinkError(error: Error): void {
  notifications.show({
    title: 'The sign-in link was not used',
    message: `${error.message} You are still signed in with the previous token.`,
    color: 'yellow',
    autoClose: 10_000,
    role: 'alert',
    closeButtonProps: { 'aria-label': 'Close the message' },
  });
}

/**
 * Ends the session of a sign-in link. An API token stays valid, because other clients use it.
 * @param value the value that is stored in this tab.
 */
function endSession(value: string | null): void {
  if (value?.startsWith(SESSION_PREFIX) !== true) return;
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
