import styles from '#ui/components/Starting.module.css';

/** Something takes a moment. */
export function Starting({ what }: { what: string }) {
  return (
    <div className={styles.starting} role="status">
      <span className={styles.dots} aria-hidden="true">
        <span />
        <span />
        <span />
      </span>
      {what}
    </div>
  );
}
