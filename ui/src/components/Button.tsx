import type { ReactNode } from 'react';

import styles from './Button.module.css';

type Props = {
  /** What it does, for people who cannot see the picture; also its tooltip. */
  label: string;
  onPress: () => void;
  kind?: 'main' | 'bad' | 'plain' | 'round' | 'usual';
  disabled?: boolean;
  children?: ReactNode;
};

/** A real button with a name. */
export function Button({ label, onPress, kind = 'usual', disabled = false, children }: Props) {
  return (
    <button
      type="button"
      className={styles.button}
      data-kind={kind}
      aria-label={label}
      title={children === undefined ? undefined : label}
      disabled={disabled}
      onClick={onPress}
    >
      {children ?? label}
    </button>
  );
}
