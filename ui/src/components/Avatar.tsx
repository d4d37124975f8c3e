import type { Presence, UserId } from '#ui/bindings';
import styles from '#ui/components/Avatar.module.css';
import { usePicture } from '#ui/components/picture';

type Props = { name: string; size: number; presence?: Presence; id?: UserId | undefined };

/** A person's picture; without one, initials on a colour of the person's own. */
export function Avatar({ name, size, presence, id }: Props) {
  const picture = usePicture(id);
  return (
    <span
      className={styles.avatar}
      style={{ width: size, height: size, fontSize: size * 0.4, background: colour(name) }}
    >
      {picture === null ? initials(name) : <img className={styles.picture} src={picture} alt="" />}
      {presence !== undefined && <span className={styles.presence} data-presence={presence} />}
    </span>
  );
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const first = firstLetter(words[0]) ?? '?';
  const last = words.length > 1 ? (firstLetter(words.at(-1)) ?? '') : '';
  return (first + last).toUpperCase();
}

function firstLetter(word: string | undefined): string | undefined {
  const [first] = new Intl.Segmenter().segment(word ?? '');
  return first?.segment;
}

function colour(name: string): string {
  let hash = 0;
  for (const letter of name) {
    hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  }
  return `hsl(${hash} 42% 42%)`;
}
