import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import type { Schemas } from '../api/client.ts';
import { getToken, setToken } from '../api/client.ts';
import { currentTokenQuery } from '../api/queries.ts';

export interface Session {
  /** Whether a token is stored in this tab. */
  readonly isSignedIn: boolean;
  /** The token, without its value. Null: it has not been fetched yet. */
  readonly token: Schemas['CurrentToken'] | null;
  readonly signIn: (token: string) => void;
  readonly signOut: () => void;
}

const SessionContext = createContext<Session | null>(null);

export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const queryClient = useQueryClient();
  const [isSignedIn, setSignedIn] = useState(getToken() !== null);
  const { data } = useQuery({ ...currentTokenQuery(), enabled: isSignedIn });
  const session = useMemo<Session>(
    () => ({
      isSignedIn,
      token: isSignedIn ? (data ?? null) : null,
      signIn: (token) => {
        setToken(token);
        setSignedIn(true);
      },
      signOut: () => {
        setToken(null);
        setSignedIn(false);
        queryClient.clear();
      },
    }),
    [isSignedIn, data, queryClient],
  );
  return <SessionContext value={session}>{children}</SessionContext>;
}

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('useSession requires a SessionProvider.');
  return session;
}
