import { useEffect } from 'react';

import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { useCalls, useNames } from '#ui/client';
import { callOnScreen } from '#ui/call/on-screen';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { TopLayer } from '#ui/components/TopLayer';
import { attempt } from '#ui/problems';
import { KEYS, answerOf } from '#ui/ring/answer-keys';
import type { Answer } from '#ui/ring/answer-keys';
import { incomingCalls, said } from '#ui/ring/incoming';
import styles from '#ui/ring/IncomingBar.module.css';
import { useArmed } from '#ui/ring/use-armed';
import { useLeaving } from '#ui/ring/use-leaving';

/**
 * Who rings, in the main window: for who works in it, for keyboards and screen readers (the popup takes no focus), and
 * for desktops that show no popup.
 */
export function IncomingBar() {
  const calls = useCalls();
  const rings = incomingCalls(calls);
  const [first] = rings;
  const isInCall = callOnScreen(calls, null) !== undefined;
  return (
    first !== undefined && (
      <TopLayer>
        <AnswerKeys call={first} />
        <div className={styles.bars} role="alert" data-in-call={isInCall}>
          {rings.map((call) => (
            <Bar key={call.ring?.id} call={call} isFirst={call === first} />
          ))}
        </div>
      </TopLayer>
    )
  );
}

function answer(call: CallView, how: Answer): void {
  switch (how) {
    case 'accept':
      return void attempt(commands.accept(call.cid, false));
    case 'accept-with-video':
      return void attempt(commands.accept(call.cid, true));
    case 'decline':
      return void attempt(commands.reject(call.cid, null));
  }
}

function AnswerKeys({ call }: { call: CallView }) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const how = answerOf(event);
      if (how !== null) {
        event.preventDefault();
        answer(call, how);
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [call]);
  return null;
}

type Props = { call: CallView; isFirst: boolean };

function Bar({ call, isFirst }: Props) {
  const name = useNames();
  const isArmed = useArmed();
  const leaving = useLeaving();
  const caller = name(call.caller ?? '');
  const accept: Answer = call.video ? 'accept-with-video' : 'accept';
  const keys = (how: Answer) => (isFirst ? KEYS[how] : undefined);
  return (
    <section className={styles.bar} aria-label={`${caller} is calling`}>
      <Avatar name={caller} size={40} id={call.caller ?? undefined} />
      <p>
        <strong>{caller} is calling</strong>
        <small>{leaving ?? said(call)}</small>
      </p>
      <Button
        label="Decline"
        kind="bad-round"
        keys={keys('decline')}
        disabled={!isArmed}
        onPress={() => answer(call, 'decline')}
      >
        <Icon name="hangup" />
      </Button>
      {call.video && (
        <Button
          label="Accept without my camera"
          kind="round"
          keys={keys('accept')}
          disabled={!isArmed}
          onPress={() => answer(call, 'accept')}
        >
          <Icon name="videoOff" />
        </Button>
      )}
      <Button
        label="Accept"
        kind="good-round"
        keys={keys(accept)}
        disabled={!isArmed}
        onPress={() => answer(call, accept)}
      >
        <Icon name={call.video ? 'video' : 'phone'} />
      </Button>
    </section>
  );
}
