import type { CallView, TargetView } from '#ui/bindings';
import { useNames } from '#ui/client';
import styles from '#ui/call/Outgoing.module.css';
import { Avatar } from '#ui/components/Avatar';
import { together } from '#ui/words';

/** Somebody is being rung: "Calling…" turns into "Ringing…" when a device of his really alerts him. */
export function Outgoing({ call }: { call: CallView }) {
  const name = useNames();
  const names = call.people.map(name);
  const targets = call.ring?.targets ?? [];
  const isAlerted = targets.some((target) => target.alerted && target.outcome === 'ringing');
  return (
    <section className={styles.outgoing}>
      <div className={styles.pulse} data-alerted={isAlerted}>
        <Avatar name={names[0] ?? '?'} size={132} id={call.people[0]} />
      </div>
      <h1>{together(names)}</h1>
      <p role="status">{isAlerted ? 'Ringing…' : 'Calling…'}</p>
      {targets.length > 1 && (
        <ul className={styles.targets}>
          {targets.map((target) => (
            <li key={target.user}>
              {name(target.user)}: {standing(target)}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function standing(target: TargetView): string {
  switch (target.outcome) {
    case 'ringing':
      return target.alerted ? 'ringing' : 'calling';
    case 'accepted':
      return 'here';
    case 'declined':
      return target.message === null ? 'declined' : `declined, “${target.message}”`;
    case 'busy':
      return 'busy';
    case 'missed':
    case 'cancelled':
      return 'no answer';
  }
}
