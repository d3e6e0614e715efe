import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useEffect } from 'react';
import { type LinkChoice, useSession } from '../../app/session.tsx';
import { HelpLink } from '../../components/help.tsx';
import { Logo } from '../../components/icon.tsx';

/** Asks a user who is signed in whether a sign-in link may replace the session of the tab. */
export function LinkChoicePage({ choice: { useLink, ignoreLink } }: { readonly choice: LinkChoice }) {
  const { token } = useSession();
  useEffect(() => {
    document.title = 'Use the sign-in link? · Freshet';
  }, []);
  return (
    <main className="sign-in" id="main">
      <Paper withBorder radius="lg" p="xl" w="100%" maw={460}>
        <Stack>
          <Group gap="sm" wrap="nowrap">
            <Logo />
            <Title order={1}>Use the sign-in link?</Title>
          </Group>
          <Text>
            This tab is already signed in
            {token === null ? (
              '.'
            ) : (
              <>
                {' '}
                with the token <strong>{token.name}</strong> ({token.role.replaceAll('_', ' ')}).
              </>
            )}{' '}
            If you use the link, you are signed in with the token that created the link instead.
          </Text>
          <Text>
            Use the link only if you requested it, or if you trust its sender. The audit log then records your actions
            under the name of the token that created the link.
          </Text>
          <Group gap="sm">
            <Button onClick={useLink}>Use the link</Button>
            <Button variant="default" onClick={ignoreLink} data-autofocus autoFocus>
              Stay signed in
            </Button>
          </Group>
          <HelpLink topic="signIn" subject="the sign-in" />
        </Stack>
      </Paper>
    </main>
  );
}
