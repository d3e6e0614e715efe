import {
  ActionIcon,
  AppShell,
  Burger,
  Group,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { Icon, type IconName, Logo } from '../components/icon.tsx';
import { LinkChoicePage } from '../features/sign-in/link-choice-page.tsx';
import { SignInPage, SigningIn } from '../features/sign-in/sign-in-page.tsx';
import { useSession } from './session.tsx';

interface NavItem {
  readonly label: string;
  readonly to: string;
  readonly icon: IconName;
  /** The page is outside of the console. */
  readonly isExternal?: boolean;
}

interface NavGroup {
  readonly title: string | null;
  readonly items: readonly NavItem[];
}

const NAVIGATION: readonly NavGroup[] = [
  {
    title: null,
    items: [
      { label: 'Pipelines', to: '/', icon: 'pipelines' },
      { label: 'Reports', to: '/reports', icon: 'reports' },
      { label: 'Usage', to: '/usage', icon: 'usage' },
    ],
  },
  {
    title: 'Connect',
    items: [
      { label: 'Credentials', to: '/credentials', icon: 'credentials' },
      { label: 'Destinations', to: '/destinations', icon: 'destinations' },
    ],
  },
  {
    title: 'Operate',
    items: [
      { label: 'Alerts & webhooks', to: '/webhooks', icon: 'alerts' },
      { label: 'Tokens', to: '/tokens', icon: 'tokens' },
      { label: 'Audit log', to: '/audit-log', icon: 'audit' },
      { label: 'System', to: '/system', icon: 'system' },
    ],
  },
  {
    title: 'Learn',
    items: [
      { label: 'Guides', to: '/guides', icon: 'guides' },
      { label: 'Documentation', to: '/help/', icon: 'help', isExternal: true },
      { label: 'API reference', to: '/docs', icon: 'api', isExternal: true },
    ],
  },
];

/** The frame of all pages: navigation, and the page itself. Without a token, the sign-in page. */
export function Shell() {
  const { isSignedIn, isSigningIn, linkChoice } = useSession();
  const [isOpen, { toggle, close }] = useDisclosure();
  const main = useFocusOnNavigation(close);
  const burger = useRef<HTMLButtonElement>(null);
  useHotkeys([['Escape', () => closeMenu(isOpen, close, burger.current)]]);
  if (isSigningIn) return <SigningIn />;
  if (linkChoice !== null) return <LinkChoicePage choice={linkChoice} />;
  if (!isSignedIn) return <SignInPage />;
  return (
    <AppShell
      header={{ height: { base: 52, md: 0 } }}
      navbar={{ width: 216, breakpoint: 'md', collapsed: { mobile: !isOpen } }}
      padding={0}
      transitionDuration={0}
    >
      <a className="skip" href="#main">
        Skip to content
      </a>
      <AppShell.Header hiddenFrom="md" px="md">
        <Group h="100%" gap="sm">
          <Burger
            ref={burger}
            opened={isOpen}
            onClick={toggle}
            size="sm"
            aria-label="Navigation"
            aria-expanded={isOpen}
          />
          <Brand />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Pages" className="shell-nav" data-closed={!isOpen || undefined}>
        <Group visibleFrom="md" px={10} py={10} mb={4}>
          <Brand />
        </Group>
        <Navigation />
        <SessionFooter />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} ref={main}>
        <div className="page">
          <Outlet />
        </div>
      </AppShell.Main>
    </AppShell>
  );
}

/** Closes the menu of a phone, and moves the focus to the button that opens it. */
function closeMenu(isOpen: boolean, close: () => void, burger: HTMLButtonElement | null): void {
  if (!isOpen) return;
  close();
  burger?.focus();
}

/** After a navigation, closes the menu and moves the focus to the page, so that it is announced. */
function useFocusOnNavigation(closeMenu: () => void) {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
    closeMenu();
  }, [path]);
  return main;
}

function Brand() {
  return (
    <Group gap={10}>
      <Logo />
      <Text fw={700} size="lg">
        Freshet
      </Text>
    </Group>
  );
}

function Navigation() {
  return (
    <div className="nav">
      {NAVIGATION.map(({ title, items }) => (
        <div key={title ?? 'main'}>
          {title === null ? null : <p className="nav-heading">{title}</p>}
          <ul className="nav-list">
            {items.map((item) => (
              <li key={item.to}>
                <NavLink {...item} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

function NavLink({ label, to, icon, isExternal = false }: NavItem) {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  if (isExternal)
    return (
      <a className="nav-link" href={to}>
        <Icon name={icon} />
        {label}
      </a>
    );
  // The pages of a pipeline and of a run belong to the list of pipelines.
  const isActive =
    to === '/' ? /^(\/console)?\/?$|\/(pipelines|runs)\//.test(path) : path === to || path === `/console${to}`;
  return (
    <Link
      className="nav-link"
      to={to}
      activeProps={{}}
      data-active={isActive || undefined}
      aria-current={isActive ? 'page' : undefined}
    >
      <Icon name={icon} />
      {label}
    </Link>
  );
}

function SessionFooter() {
  const { token, signOut } = useSession();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  const schemeLabel = isDark ? 'Use the light color scheme' : 'Use the dark color scheme';
  return (
    <Group justify="space-between" wrap="nowrap" px={10} pt="sm" className="nav-footer">
      <div className="nav-identity">
        <Text size="sm" fw={600} truncate>
          {token?.name ?? '…'}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {token === null ? '' : token.role.replaceAll('_', ' ')}
        </Text>
      </div>
      <Group gap={2} wrap="nowrap">
        <Tooltip label={schemeLabel}>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={schemeLabel}
            onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
          >
            <Icon name={isDark ? 'sun' : 'moon'} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Sign out">
          <ActionIcon variant="subtle" color="gray" aria-label="Sign out" onClick={signOut}>
            <Icon name="signOut" />
          </ActionIcon>
        </Tooltip>
      </Group>
    </Group>
  );
}
