import type { ReactNode } from 'react';

import mark from '../../../icons/bellbird.svg';
import styles from '#ui/welcome/Welcome.module.css';

/** The house's sign, a sentence, and what is below it. */
export function Front({ says, children }: { says: string; children: ReactNode }) {
  return (
    <main className={styles.welcome}>
      <div className={styles.middle}>
        <header className={styles.head}>
          <img className={styles.mark} src={mark} alt="" />
          <h1>Bellbird</h1>
          <p>{says}</p>
        </header>
        {children}
      </div>
    </main>
  );
}
