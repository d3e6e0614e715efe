/** Building blocks of pages: header, cards, figures and links. */
import {
  Anchor,
  Box,
  Breadcrumbs,
  Group,
  Paper,
  type PaperProps,
  Stack,
  Text,
  Title,
  Tooltip,
  UnstyledButton,
} from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { HelpLink } from './help.tsx';
import type { HelpTopic } from './help-topics.ts';
import { Icon } from './icon.tsx';

interface Crumb {
  readonly label: string;
  readonly to: string;
}

interface PageHeaderProps {
  readonly title: string;
  /** The documentation of the page. */
  readonly help: HelpTopic;
  /** Elements beside the title, such as a status. */
  readonly beside?: ReactNode;
  readonly crumbs?: readonly Crumb[];
  readonly actions?: ReactNode;
  readonly description?: ReactNode;
}

export function PageHeader({ title, help, beside, crumbs = [], actions, description }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title} · Freshet`;
  }, [title]);
  return (
    <Stack gap={4} mb="lg">
      {crumbs.length > 0 ? (
        <nav aria-label="Breadcrumb">
          <Breadcrumbs separatorMargin={6} className="crumbs">
            {crumbs.map(({ label, to }) => (
              <TextLink key={to} to={to}>
                {label}
              </TextLink>
            ))}
            <span aria-current="page">{title}</span>
          </Breadcrumbs>
        </nav>
      ) : null}
      <Group justify="space-between" gap="sm" align="center">
        <Group gap="md" align="center">
          <Title order={1}>{title}</Title>
          {beside}
        </Group>
        <Group gap="xs">
          <HelpLink topic={help} subject={title} />
          {actions}
        </Group>
      </Group>
      {description ? (
        <Text c="dimmed" maw={760}>
          {description}
        </Text>
      ) : null}
    </Stack>
  );
}

interface CardProps extends PaperProps {
  readonly title?: string;
  /** An element beside the title. */
  readonly beside?: ReactNode;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

export function Card({ title, beside, description, actions, children, ...props }: CardProps) {
  return (
    <Paper withBorder radius="lg" p="md" component="section" {...(title ? { 'aria-label': title } : {})} {...props}>
      {title ? (
        <Box mb="sm">
          <Group justify="space-between" gap="xs">
            <Group gap={4}>
              <Title order={2}>{title}</Title>
              {beside}
            </Group>
            {actions}
          </Group>
          {description ? (
            <Text size="sm" c="dimmed">
              {description}
            </Text>
          ) : null}
        </Box>
      ) : null}
      {children}
    </Paper>
  );
}

interface FigureProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
  /** The definition of the figure. */
  readonly definition?: string;
}

/** A card with one figure. */
export function Figure({ label, value, note, definition }: FigureProps) {
  return (
    <Paper withBorder radius="lg" p="md">
      <Group gap={4} align="center">
        <Text size="sm" c="dimmed">
          {label}
        </Text>
        {definition ? <InfoMark label={label} definition={definition} /> : null}
      </Group>
      <Text className="figure" component="div" role="group" aria-label={label}>
        {value}
      </Text>
      {note ? (
        <Text size="sm" c="dimmed" component="div">
          {note}
        </Text>
      ) : null}
    </Paper>
  );
}

/** A mark that shows the definition of a metric on hover and on focus. */
export function InfoMark({ label, definition }: { readonly label: string; readonly definition: string }) {
  return (
    <Tooltip label={definition}>
      <UnstyledButton className="info-mark" aria-label={`Definition of ${label}: ${definition}`}>
        <Icon name="info" size={15} />
      </UnstyledButton>
    </Tooltip>
  );
}

interface TextLinkProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly fw?: number;
}

/** A link to a page of the console. */
export function TextLink({ to, children, fw }: TextLinkProps) {
  return (
    <Anchor component={Link} to={to} {...(fw === undefined ? {} : { fw })} inherit>
      {children}
    </Anchor>
  );
}
