import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';

/** The pages of a list whose pages have cursors. */
export interface CursorPages {
  /** The cursor of the displayed page. Null: the first page. */
  readonly cursor: string | null;
  /** The number of the displayed page. */
  readonly number: number;
  /** Displays the first page. */
  readonly reset: () => void;
  /** Null: the first page is displayed. */
  readonly onPrevious: (() => void) | null;
  readonly onNext: (nextCursor: string) => void;
}

export function useCursorPages(): CursorPages {
  /** The cursors of the pages up to the displayed page. The first page has no cursor. */
  const [cursors, setCursors] = useState<readonly string[]>([]);
  return {
    cursor: cursors.at(-1) ?? null,
    number: cursors.length + 1,
    reset: () => setCursors([]),
    onPrevious: cursors.length === 0 ? null : () => setCursors(cursors.slice(0, -1)),
    onNext: (nextCursor) => setCursors([...cursors, nextCursor]),
  };
}

interface PageButtonsProps {
  readonly pages: CursorPages;
  /** The cursor of the next page. Null: the last page is displayed. */
  readonly nextCursor: string | null;
}

/** The buttons below a list. If the list has one page, there are none. */
export function PageButtons({ pages: { number, onPrevious, onNext }, nextCursor }: PageButtonsProps) {
  if (onPrevious === null && nextCursor === null) return null;
  return (
    <Group component="nav" justify="center" mt="md" aria-label="Pages of the list">
      <Button variant="default" disabled={onPrevious === null} onClick={() => onPrevious?.()}>
        Previous
      </Button>
      <Text size="sm">Page {number}</Text>
      <Button
        variant="default"
        disabled={nextCursor === null}
        onClick={() => (nextCursor === null ? undefined : onNext(nextCursor))}
      >
        Next
      </Button>
    </Group>
  );
}
