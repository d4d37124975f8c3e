import { Button } from '#ui/components/Button';
import styles from '#ui/components/Starting.module.css';

/** Something takes a moment; what waits for others can be given up. */
export function Starting({ what, onStop }: { what: string; onStop?: () => void }) {
  return (
    <div className={styles.starting} role="status">
      <span className={styles.dots} aria-hidden="true">
        <span />
        <span />
        <span />
      </span>
      {what}
      {onStop !== undefined && <Button label="Cancel" onPress={onStop} />}
    </div>
  );
}
