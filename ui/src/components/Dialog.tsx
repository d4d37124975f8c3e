import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

import { Button } from '#ui/components/Button';
import styles from '#ui/components/Dialog.module.css';
import { Icon } from '#ui/components/Icon';
import { openOver } from '#ui/components/top-layer';

type Props = { title: string; onClose: () => void; children: ReactNode };

/** A panel over the window; Escape closes it. The focus moves in, stays in, and goes back where it was. */
export function Dialog({ title, onClose, children }: Props) {
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = place.current;
    if (dialog === null) {
      return;
    }
    const before = document.activeElement;
    dialog.showModal();
    const close = openOver(dialog);
    return () => {
      close();
      dialog.close();
      if (before instanceof HTMLElement) {
        before.focus();
      }
    };
  }, []);
  return (
    <dialog
      ref={place}
      className={styles.dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className={styles.content}>
        <header className={styles.head}>
          <h2>{title}</h2>
          <Button label="Close" kind="round" onPress={onClose}>
            <Icon name="close" />
          </Button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
