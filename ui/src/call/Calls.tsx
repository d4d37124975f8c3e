import { useState } from 'react';

import type { CallView } from '#ui/bindings';
import { CallScreen } from '#ui/call/CallScreen';
import { CallStrip } from '#ui/call/CallStrip';
import styles from '#ui/call/Calls.module.css';
import { callOnScreen, joinedCalls } from '#ui/call/on-screen';
import type { Choice } from '#ui/call/on-screen';

/** The call this device is in, or one of them; it is there only while there is one. */
export function Calls({ calls, onSettings }: { calls: CallView[]; onSettings: () => void }) {
  const [choice, choose] = useState<Choice | null>(null);
  const joined = joinedCalls(calls);
  const shown = callOnScreen(calls, choice);
  return (
    shown !== undefined && (
      <div className={styles.calls}>
        {joined.length > 1 && (
          <CallStrip calls={joined} shown={shown.cid} onShow={(cid) => choose({ cid, newest: joined.at(-1)?.cid })} />
        )}
        <CallScreen key={shown.cid} call={shown} onSettings={onSettings} />
      </div>
    )
  );
}
