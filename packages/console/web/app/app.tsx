import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import type { Schemas } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import { getNonce } from './nonce.ts';
import { router } from './router.tsx';
import { SessionProvider } from './session.tsx';
import { resolveCssVariables, theme } from './theme.ts';

const colorSchemeManager = localStorageColorSchemeManager({ key: 'freshet.color-scheme' });

/**
 * @param props.linkSession the session of the sign-in link with which the page was opened. Null:
 *   there is no link.
 */
export function App({ linkSession }: { readonly linkSession: Promise<Schemas['Session']> | null }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolveCssVariables}
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemeManager}
      getStyleNonce={getNonce}
    >
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <SessionProvider linkSession={linkSession}>
          <RouterProvider router={router} />
        </SessionProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
