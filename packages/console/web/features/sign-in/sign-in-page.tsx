import { Freshet, FreshetError } from '@freshet/client';
import { Button, Group, Loader, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useEffect, useState } from 'react';
import { useSession } from '../../app/session.tsx';
import { HelpLink } from '../../components/help.tsx';
import { Logo } from '../../components/icon.tsx';
import { Notice } from '../../components/notice.tsx';
import { describeError } from '../../components/states.tsx';

/** The form that accepts an API token. The token is tested before it is stored in this tab. */
export function SignInPage() {
  const { signIn, linkError } = useSession();
  const [value, setValue] = useState('');
  const { mutate, isPending, error } = useMutation({
    mutationFn: (token: string) =>
      new Freshet({ url: location.origin, token, maxAttempts: 1 }).get('/v1/tokens/current'),
    onSuccess: (_, token) => signIn(token),
  });
  useEffect(() => {
    document.title = 'Sign in · Freshet';
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (value.trim() !== '') mutate(value.trim());
  };
  return (
    <main className="sign-in" id="main">
      <Paper withBorder radius="lg" p="xl" w="100%" maw={420}>
        <form onSubmit={submit}>
          <Stack>
            <Group gap="sm">
              <Logo />
              <Title order={1}>Sign in to Freshet</Title>
            </Group>
            {linkError ? <LinkNotice error={linkError} /> : null}
            <PasswordInput
              label="API token"
              description="It begins with frt_. The token is stored only in this browser tab, and deleted when you close the tab."
              placeholder="frt_…"
              value={value}
              onChange={(event) => setValue(event.currentTarget.value)}
              autoComplete="off"
              required
              data-autofocus
              autoFocus
            />
            {error ? (
              <div role="alert">
                <Notice tone="failed">{getMessage(error)}</Notice>
              </div>
            ) : null}
            <Button type="submit" loading={isPending}>
              Sign in
            </Button>
            {linkError ? null : (
              <Text size="sm" c="dimmed">
                No token? On the machine of the deployment, run <code>freshet sign-in</code> (in a clone:{' '}
                <code>npm run freshet sign-in</code>) to get a link. Otherwise, ask a team admin for a token or a link.
              </Text>
            )}
            <HelpLink topic="signIn" subject="the sign-in" />
          </Stack>
        </form>
      </Paper>
    </main>
  );
}

/** The page while the code of a sign-in link is being exchanged. */
export function SigningIn() {
  return (
    <main className="sign-in" id="main">
      <Group gap="sm" role="status">
        <Loader size="sm" />
        <Text>Signing in …</Text>
      </Group>
    </main>
  );
}

/** Why the link with which the page was opened did not sign in, and how to get a new one. */
function LinkNotice({ error }: { readonly error: Error }) {
  const isRejected = error instanceof FreshetError && (error.status === 401 || error.status === 400);
  return (
    <div role="alert">
      <Notice tone="attention">
        {isRejected ? (
          <>
            <strong>This sign-in link was already used or has expired.</strong> A link is valid for one sign-in within
            10 minutes. To get a new link, run <code>freshet sign-in</code> (in a clone:{' '}
            <code>npm run freshet sign-in</code>) on the machine of the deployment, or sign in with an API token.
          </>
        ) : (
          <>
            <strong>{describeError(error).title}.</strong> {describeError(error).detail} Then open the link again.
          </>
        )}
      </Notice>
    </div>
  );
}

function getMessage(error: Error): string {
  return error instanceof FreshetError && error.status === 401
    ? 'This token is unknown or has expired. Check that you have copied the complete token.'
    : describeError(error).detail;
}
