/** Actions of the user: mutations with toasts, and dialogs that confirm consequences. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { isNotOnRequest } from '../api/query-client.ts';
import { Dialog } from './dialog.tsx';
import { ActionError, describeError } from './states.tsx';

/** The name of the button that closes a toast. */
const CLOSE = { 'aria-label': 'Close the message' };

interface ActionOptions<T, V> {
  /** The message after success. */
  readonly done?: string | ((result: T) => string);
  readonly onDone?: (result: T, variables: V) => void;
  /** Whether a failure is shown as a toast. Otherwise the caller shows `error`. */
  readonly toastErrors?: boolean;
}

/** Runs an action of the user, and then fetches the data of the page again. */
export function useAction<T, V = void>(work: (variables: V) => Promise<T>, options: ActionOptions<T, V> = {}) {
  const { done, onDone, toastErrors = true } = options;
  const queryClient = useQueryClient();
  return useMutation<T, Error, V>({
    mutationFn: work,
    onSuccess: (result, variables) => {
      if (done !== undefined) showSuccess(typeof done === 'function' ? done(result) : done);
      onDone?.(result, variables);
      void queryClient.invalidateQueries({ predicate: isNotOnRequest });
    },
    onError: (error) => {
      if (!toastErrors) return;
      const { title, detail } = describeError(error);
      notifications.show({
        title,
        message: detail,
        color: 'red',
        autoClose: 10_000,
        role: 'alert',
        closeButtonProps: CLOSE,
      });
    },
  });
}

export function showSuccess(message: string): void {
  notifications.show({ message, color: 'accent', autoClose: 4000, closeButtonProps: CLOSE });
}

interface ConfirmProps {
  readonly title: string;
  /** The consequences, in full. */
  readonly children: ReactNode;
  readonly confirmLabel: string;
  readonly isDangerous?: boolean;
  /** The text that must be typed before the action can be confirmed. */
  readonly typedText?: string;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** A dialog that states the consequences of an action before it starts. */
export function ConfirmDialog(props: ConfirmProps) {
  const { title, children, confirmLabel, isDangerous = false, typedText, onConfirm, onClose } = props;
  const [typed, setTyped] = useState('');
  const { mutate, isPending, error } = useAction(onConfirm, { onDone: onClose, toastErrors: false });
  const isConfirmable = typedText === undefined || typed.trim() === typedText;
  return (
    <Dialog onClose={onClose} title={title}>
      <Stack>
        <Text component="div" size="sm">
          {children}
        </Text>
        {typedText === undefined ? null : (
          <TextInput
            label={`Type ${typedText} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
          />
        )}
        <ActionError error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            color={isDangerous ? 'red.8' : 'accent'}
            loading={isPending}
            disabled={!isConfirmable}
            onClick={() => mutate()}
          >
            {confirmLabel}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
