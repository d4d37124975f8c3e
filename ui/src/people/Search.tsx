import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import styles from '#ui/people/Search.module.css';
import type { Found } from '#ui/people/use-found';

type FieldProps = { hint: string; text: string; onText: (text: string) => void };

/** What is looked for. */
export function SearchField({ hint, text, onText }: FieldProps) {
  return (
    <label className={styles.search}>
      <Icon name="search" size={18} />
      <input
        aria-label="Search people"
        placeholder={hint}
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
    </label>
  );
}

type RestProps = Pick<Found, 'others' | 'more'> & { found: number; text: string };

/** What is said below those who were found, in the same list. */
export function Rest({ found, text, others, more }: RestProps) {
  switch (others) {
    case 'asking':
      return (
        <li className={styles.word} role="status">
          Searching…
        </li>
      );
    case 'failed':
      return (
        <li className={styles.word} role="alert">
          The server was not reached: only people you know are searched. Type again to try again.
        </li>
      );
    case 'known':
      if (more !== null) {
        return (
          <li className={styles.word}>
            <Button label="Show more" onPress={more} />
          </li>
        );
      }
      return found === 0 && <li className={styles.word}>Nobody is called “{text}” here.</li>;
  }
}
