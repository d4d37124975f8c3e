import { useEffect } from 'react';

import { commands } from '#ui/bindings';
import type { HistoryView } from '#ui/bindings';
import { useClient, useHistory, useIsKnown, useNames } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { useNow } from '#ui/components/use-now';
import { byDay } from '#ui/home/by-day';
import styles from '#ui/home/Recent.module.css';
import { attempt } from '#ui/problems';
import { clock, outcome, together } from '#ui/words';

/** The calls there were, newest first. Looking at them marks the missed ones as seen. */
export function Recent() {
  const history = useHistory();
  const now = useNow(60_000);
  const unseen = history.some((entry) => entry.unseen);
  const isKnown = useIsKnown();
  const isOnline = useClient((client) => client.connection.status === 'online') ?? false;
  useEffect(() => {
    if (!unseen || !isOnline) {
      return;
    }
    // Nobody has asked for this: when it fails, it is tried again at the next look.
    const look = () => void commands.markMissedSeen().catch(() => undefined);
    if (document.visibilityState === 'visible' && document.hasFocus()) {
      look();
    }
    window.addEventListener('focus', look);
    return () => window.removeEventListener('focus', look);
  }, [unseen, isOnline]);
  if (!isKnown) {
    return (
      <div className={styles.empty} role="status">
        <p>Connecting…</p>
      </div>
    );
  }
  if (history.length === 0) {
    return (
      <div className={styles.empty}>
        <Icon name="phone" size={44} />
        <p>No calls yet. Press the telephone beside a name, and it rings on that person’s desktop.</p>
      </div>
    );
  }
  return (
    <div className={styles.recent}>
      {byDay(history, now).map((group) => (
        <section key={group.day}>
          <h3>{group.day}</h3>
          <ul>
            {group.entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Entry({ entry }: { entry: HistoryView }) {
  const name = useNames();
  const me = useClient((client) => client.me.id);
  const others = [...new Set([entry.caller, ...entry.people])].filter((id) => id !== me);
  const names = together(others.map(name));
  const isMissed = entry.outcome === 'missed' && entry.direction === 'incoming';
  return (
    <li className={styles.entry} data-missed={isMissed} data-role="history">
      <Avatar name={names} size={38} id={others.length === 1 ? others[0] : undefined} />
      <div className={styles.what}>
        <strong title={others.map(name).join(', ')}>{names}</strong>
        <span>
          <Icon name={entry.direction === 'outgoing' ? 'outgoing' : 'incoming'} size={14} />
          {entry.video ? 'Video' : 'Voice'} · {outcome(entry)}
        </span>
      </div>
      <time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>
      <Button
        label={`Call ${names} back`}
        kind="round"
        onPress={() => void attempt(commands.ring(others, entry.video))}
      >
        <span className={styles.again}>
          <Icon name={entry.video ? 'video' : 'phone'} />
        </span>
      </Button>
    </li>
  );
}
