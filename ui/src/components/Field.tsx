import type { ReactNode } from 'react';

import styles from '#ui/components/Field.module.css';

/** A control with its name above it. */
export function Field({ name, children }: { name: string; children: ReactNode }) {
  return (
    <label className={styles.field}>
      {name}
      {children}
    </label>
  );
}
