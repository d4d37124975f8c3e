import type { ReactNode } from 'react';
import { createPortal } from 'react-dom';

import { useTopDialog } from '#ui/components/top-layer';

/** What must stay visible and pressable while a dialog is open: it moves into the dialog. */
export function TopLayer({ children }: { children: ReactNode }) {
  const dialog = useTopDialog();
  return dialog === undefined ? children : createPortal(children, dialog);
}
