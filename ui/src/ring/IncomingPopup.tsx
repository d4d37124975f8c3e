import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { useCalls, useClient, useNames } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';
import { incomingCall } from '#ui/ring/incoming';
import styles from '#ui/ring/IncomingPopup.module.css';
import { useArmed } from '#ui/ring/use-armed';

/** The window that says who rings. It is made at the start, hidden, and shown and hidden by Rust. */
export function IncomingPopup() {
  const call = incomingCall(useCalls());
  // A new ring is a new popup: it begins unarmed and without replies open.
  return call === undefined ? null : <Ringing key={call.ring?.id} call={call} />;
}

function Ringing({ call }: { call: CallView }) {
  const name = useNames();
  const server = useClient((client) => client.serverName);
  const [isReplying, setReplying] = useState(false);
  const caller = name(call.caller ?? '');
  const others = call.people.filter((id) => id !== call.caller).map(name);
  return (
    <main className={styles.popup} role="alertdialog" aria-label={`${caller} is calling`}>
      <div className={styles.caller}>
        <Avatar name={caller} size={64} />
        <div>
          <strong>{caller}</strong>
          <span>
            {call.video ? 'Video call' : 'Voice call'}
            {others.length > 0 ? ` with ${others.join(', ')}` : ` · ${server ?? ''}`}
          </span>
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
    </main>
  );
}

function Answers({ call }: { call: CallView }) {
  const isArmed = useArmed();
  const accept = (video: boolean) => {
    void attempt(commands.join(call.cid, video));
    void commands.showMainWindow();
  };
  return (
    <div className={styles.buttons} data-video={call.video}>
      <Button
        label="Decline"
        kind="bad"
        disabled={!isArmed}
        onPress={() => void attempt(commands.reject(call.cid, null))}
      >
        <Icon name="hangup" /> Decline
      </Button>
      <Button label="Accept" kind="main" disabled={!isArmed} onPress={() => accept(call.video)}>
        <Icon name={call.video ? 'video' : 'phone'} /> Accept
      </Button>
      {call.video && (
        <Button label="Accept without my camera" disabled={!isArmed} onPress={() => accept(false)}>
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
        <Button key={reply} label={reply} onPress={() => void attempt(commands.reject(call.cid, reply))} />
      ))}
    </div>
  );
}
