import type { ReactNode } from 'react';

import styles from '#ui/components/Button.module.css';

type Props = {
  /** What it does, for people who cannot see the picture; also its tooltip. */
  label: string;
  /** Absent for a button that sends its form. */
  onPress?: () => void;
  kind?: 'main' | 'bad' | 'plain' | 'round' | 'good-round' | 'bad-round' | 'usual';
  disabled?: boolean;
  /** The keys that do the same, for the tooltip and for people who cannot see it. */
  keys?: string;
  /** Whether a switch is on. */
  pressed?: boolean;
  children?: ReactNode;
};

/** A real button with a name. */
export function Button({ label, onPress, kind = 'usual', disabled = false, pressed, keys, children }: Props) {
  return (
    <button
      type={onPress === undefined ? 'submit' : 'button'}
      className={styles.button}
      data-kind={kind}
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={keys}
      title={keys !== undefined ? `${label} (${keys})` : children === undefined ? undefined : label}
      disabled={disabled}
      onClick={onPress}
    >
      {children ?? label}
    </button>
  );
}
