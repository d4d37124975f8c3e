import type { ReactNode } from 'react';

import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import styles from '#ui/home/Notices.module.css';

type Props = {
  says: string;
  /** What it means, or what to do. */
  means?: string;
  kind?: 'usual' | 'going';
  onClose?: () => void;
  children?: ReactNode;
};

/** One thing to know, and what can be done about it. */
export function Notice({ says, means, kind = 'usual', onClose, children }: Props) {
  return (
    <div className={styles.notice} data-kind={kind}>
      <p>
        {says}
        {means !== undefined && <small>{means}</small>}
      </p>
      {children}
      {onClose !== undefined && (
        <Button label="Close this message" kind="round" onPress={onClose}>
          <Icon name="close" size={18} />
        </Button>
      )}
    </div>
  );
}
