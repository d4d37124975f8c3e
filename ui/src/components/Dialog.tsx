import { useEffect } from 'react';
import type { ReactNode } from 'react';

import { Button } from '#ui/components/Button';
import styles from '#ui/components/Dialog.module.css';
import { Icon } from '#ui/components/Icon';

type Props = { title: string; onClose: () => void; children: ReactNode };

/** A panel over the window; Escape closes it. */
export function Dialog({ title, onClose, children }: Props) {
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key === 'Escape') {
        onClose();
      }
    };
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [onClose]);
  return (
    <div className={styles.shade}>
      <section className={styles.dialog} role="dialog" aria-modal="true" aria-label={title}>
        <header className={styles.head}>
          <h2>{title}</h2>
          <Button label="Close" kind="round" onPress={onClose}>
            <Icon name="close" />
          </Button>
        </header>
        {children}
      </section>
    </div>
  );
}
