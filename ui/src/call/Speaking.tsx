import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { CallId } from '#ui/bindings';
import styles from '#ui/call/Controls.module.css';
import { attempt } from '#ui/problems';

/** Nobody is asked twice within this, in milliseconds. */
const AGAIN = 30_000;

type Props = { cid: CallId; whyNot: string | null; isOn: boolean };

/** Why this person cannot speak, and how he may ask; and that he may now. In words too: a tooltip is not looked for. */
export function Speaking({ cid, whyNot, isOn }: Props) {
  const [asked, setAsked] = useState<'never' | 'now' | 'before'>('never');
  useEffect(() => {
    if (asked !== 'now') {
      return;
    }
    const timer = setTimeout(() => setAsked('before'), AGAIN);
    return () => clearTimeout(timer);
  }, [asked]);
  if (whyNot === null) {
    return (
      asked !== 'never' &&
      !isOn && (
        <p className={styles.may} role="status">
          You may speak now. Unmute when you like.
        </p>
      )
    );
  }
  const ask = async () => {
    const told = await attempt(commands.askToSpeak(cid), `speak ${cid}`);
    if (told !== undefined) {
      setAsked('now');
    }
  };
  return (
    <div className={styles.may}>
      <p>{whyNot}</p>
      <button
        type="button"
        className={styles.ask}
        aria-label={asked === 'now' ? 'Asked' : 'Ask to speak'}
        disabled={asked === 'now'}
        onClick={() => void ask()}
      >
        {asked === 'now' ? 'Asked' : 'Ask to speak'}
      </button>
    </div>
  );
}
