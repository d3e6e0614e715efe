import { Button } from '@mantine/core';

interface TableSwitchProps {
  readonly title: string;
  readonly isTable: boolean;
  readonly onChange: (isTable: boolean) => void;
}

/** The button that shows a chart as a table, and a table as a chart. */
export function TableSwitch({ title, isTable, onChange }: TableSwitchProps) {
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      onClick={() => onChange(!isTable)}
      aria-label={`${isTable ? 'Chart' : 'Table'} of ${title}`}
    >
      {isTable ? 'Chart' : 'Table'}
    </Button>
  );
}
