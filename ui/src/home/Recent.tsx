import { commands } from '#ui/bindings';
import type { HistoryView } from '#ui/bindings';
import { useCalls, useClient, useHistory, useIsKnown, useMayCall, useNames, usePeople } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { useNow } from '#ui/components/use-now';
import { byDay } from '#ui/home/by-day';
import { callBack } from '#ui/home/call-back';
import styles from '#ui/home/Recent.module.css';
import { useSeen } from '#ui/home/use-seen';
import { attempt } from '#ui/problems';
import { clock, outcome, together } from '#ui/words';

/** The calls there were, newest first. */
export function Recent() {
  const history = useHistory();
  const now = useNow(60_000);
  const isKnown = useIsKnown();
  const mayCall = useMayCall();
  useSeen();
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
        <p>
          {mayCall
            ? 'No calls yet. Press the telephone beside a name, and it rings on that person’s desktop.'
            : 'No calls yet. Who invited you can call you here.'}
        </p>
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

/** The heading, with how many calls were missed and not looked at. */
export function RecentHeading() {
  const missed = useHistory().filter((entry) => entry.unseen).length;
  return (
    <h2 className={styles.heading}>
      Recent calls
      {missed > 0 && <span>{missed === 1 ? '1 missed' : `${missed} missed`}</span>}
    </h2>
  );
}

function Entry({ entry }: { entry: HistoryView }) {
  const name = useNames();
  const me = useClient((client) => client.me.id) ?? '';
  const others = [...new Set([entry.caller, ...entry.people])].filter((id) => id !== me);
  const names = together(others.map(name));
  const isMissed = entry.outcome === 'missed' && entry.direction === 'incoming';
  return (
    <li className={styles.entry} data-missed={isMissed} data-unseen={entry.unseen} data-role="history">
      <Avatar name={names} size={38} id={others.length === 1 ? others[0] : undefined} />
      <div className={styles.what}>
        <strong title={others.map(name).join(', ')}>{names}</strong>
        <span>
          {entry.direction !== 'none' && <Icon name={entry.direction} size={14} />}
          {entry.video ? 'Video' : 'Voice'} · {outcome(entry)}
        </span>
      </div>
      <time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>
      <Telephone entry={entry} me={me} />
    </li>
  );
}

function Telephone({ entry, me }: { entry: HistoryView; me: string }) {
  const name = useNames();
  const mayCall = useMayCall();
  const back = callBack(entry, me, usePeople(), useCalls());
  switch (back.what) {
    case 'nothing':
      return <span className={styles.none} />;
    case 'join':
      return <Button label="Join" kind="main" onPress={() => void attempt(commands.join(entry.cid, false))} />;
    case 'ring': {
      const { people, all } = back;
      if (!mayCall) {
        return <span className={styles.none} />;
      }
      const ring = (whom: string[]) => void attempt(commands.ring(whom, entry.video), `ring ${whom.join(' ')}`);
      return (
        <>
          {all !== null && (
            <Button label={`Call ${together(all.map(name))}`} kind="round" onPress={() => ring(all)}>
              <span className={styles.again}>
                <Icon name="group" />
              </span>
            </Button>
          )}
          <Button label={`Call ${together(people.map(name))} back`} kind="round" onPress={() => ring(people)}>
            <span className={styles.again}>
              <Icon name={entry.video ? 'video' : 'phone'} />
            </span>
          </Button>
        </>
      );
    }
  }
}
