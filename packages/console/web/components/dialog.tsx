import { Drawer, type DrawerProps, Modal, type ModalProps } from '@mantine/core';
import { useEffect, useState } from 'react';

/**
 * A dialog that is open as long as it is rendered. When it closes, the focus returns to the control
 * that opened it. Mantine returns the focus only if a dialog stays rendered while it is closed.
 */
export function Dialog(props: Omit<ModalProps, 'opened'>) {
  const [opener] = useState(findOpener);
  useEffect(
    () => () => {
      // Wait until the focus trap of the dialog has been removed.
      setTimeout(() => {
        if (opener?.isConnected) opener.focus({ preventScroll: true });
      });
    },
    [opener],
  );
  return <Modal {...props} opened />;
}

/** Finds the focused control. If this is the item of a menu, finds the button of the menu. */
function findOpener(): HTMLElement | null {
  const { activeElement } = document;
  const menuButtonId = activeElement?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  const opener = menuButtonId ? document.getElementById(menuButtonId) : activeElement;
  return opener instanceof HTMLElement ? opener : null;
}

/**
 * A drawer at the right side of the page. Mantine closes all open dialogs with one press of Escape.
 * While a dialog covers the drawer, Escape closes only the dialog.
 */
export function SideDrawer({ onClose, ...props }: Omit<DrawerProps, 'position' | 'closeButtonProps'>) {
  const closeUnlessCovered = () => {
    if (document.querySelectorAll('[role="dialog"]').length === 1) onClose();
  };
  return (
    <Drawer
      size="lg"
      {...props}
      onClose={closeUnlessCovered}
      position="right"
      closeButtonProps={{ 'aria-label': 'Close' }}
    />
  );
}
