import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { useCalls, useClient, useNames } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';
import { incomingCalls, kind, said } from '#ui/ring/incoming';
import styles from '#ui/ring/IncomingPopup.module.css';
import { useArmed } from '#ui/ring/use-armed';
import { useLeaving } from '#ui/ring/use-leaving';

/** The window that says who rings. It is made at the start, hidden, and shown and hidden by Rust. */
export function IncomingPopup() {
  const [first, ...others] = incomingCalls(useCalls());
  // A new ring is a new surface: it begins unarmed and without replies open.
  return (
    first !== undefined && (
      <main className={styles.popup}>
        <Ringing key={first.ring?.id} call={first} />
        {others.length > 0 && (
          <ul className={styles.others} aria-label="Also calling">
            {others.map((call) => (
              <Waiting key={call.ring?.id} call={call} />
            ))}
          </ul>
        )}
      </main>
    )
  );
}

function Ringing({ call }: { call: CallView }) {
  const name = useNames();
  const server = useClient((client) => client.serverName);
  const [isReplying, setReplying] = useState(false);
  const caller = name(call.caller ?? '');
  const others = call.people.filter((id) => id !== call.caller).map(name);
  const leaving = useLeaving();
  return (
    <section className={styles.first} aria-label={`${caller} is calling`}>
      <div className={styles.caller}>
        <Avatar name={caller} size={64} id={call.caller ?? undefined} />
        <div>
          <strong data-short={call.about !== null}>{caller}</strong>
          {call.about !== null && <q title={call.about}>{call.about}</q>}
          <span>
            {kind(call)}
            {others.length > 0 ? ` with ${others.join(', ')}` : ` · ${server ?? ''}`}
          </span>
          {leaving !== null && <em>{leaving}</em>}
        </div>
        <Button
          label={isReplying ? 'Back' : 'Decline with a message'}
          kind="round"
          onPress={() => setReplying(!isReplying)}
        >
          <Icon name={isReplying ? 'close' : 'message'} />
        </Button>
      </div>
      {isReplying ? <Replies call={call} /> : <Answers call={call} />}
    </section>
  );
}

/** One more ring, below the first. */
function Waiting({ call }: { call: CallView }) {
  const name = useNames();
  const isArmed = useArmed();
  const caller = name(call.caller ?? '');
  return (
    <li className={styles.waiting}>
      <Avatar name={caller} size={36} id={call.caller ?? undefined} />
      <p>
        <strong>{caller}</strong>
        <small>{said(call)}</small>
      </p>
      <Button label={`Decline ${caller}`} kind="bad-round" disabled={!isArmed} onPress={() => decline(call, null)}>
        <Icon name="hangup" />
      </Button>
      <Button label={`Accept ${caller}`} kind="good-round" disabled={!isArmed} onPress={() => accept(call, call.video)}>
        <Icon name={call.video ? 'video' : 'phone'} />
      </Button>
    </li>
  );
}

/** What does not work is told in the main window. */
function accept(call: CallView, video: boolean): void {
  void attempt(commands.accept(call.cid, video));
  void commands.showMainWindow();
}

function decline(call: CallView, message: string | null): void {
  void attempt(commands.reject(call.cid, message));
}

function Answers({ call }: { call: CallView }) {
  const isArmed = useArmed();
  return (
    <div className={styles.buttons} data-video={call.video}>
      <Button label="Decline" kind="bad" disabled={!isArmed} onPress={() => decline(call, null)}>
        <Icon name="hangup" /> Decline
      </Button>
      <Button label="Accept" kind="main" disabled={!isArmed} onPress={() => accept(call, call.video)}>
        <Icon name={call.video ? 'video' : 'phone'} /> Accept
      </Button>
      {call.video && (
        <Button label="Accept without my camera" disabled={!isArmed} onPress={() => accept(call, false)}>
          <Icon name="videoOff" />
        </Button>
      )}
    </div>
  );
}

const REPLIES = ['I’ll call you back', 'In a meeting, 10 minutes'];

function Replies({ call }: { call: CallView }) {
  return (
    <div className={styles.replies}>
      {REPLIES.map((reply) => (
        <Button key={reply} label={reply} onPress={() => decline(call, reply)} />
      ))}
    </div>
  );
}
