import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { useApp, useCalls, useNames } from '#ui/client';
import { callOnScreen } from '#ui/call/on-screen';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';
import { incomingCall } from '#ui/ring/incoming';
import styles from '#ui/ring/IncomingBar.module.css';
import { useArmed } from '#ui/ring/use-armed';

/** Who rings while this window shows another call: its person looks here, and not for a popup. */
export function IncomingBar() {
  const calls = useCalls();
  const call = incomingCall(calls);
  const isInCall = callOnScreen(calls) !== undefined;
  return call === undefined || !isInCall ? null : <Bar key={call.ring?.id} call={call} />;
}

function Bar({ call }: { call: CallView }) {
  const name = useNames();
  const isArmed = useArmed();
  const leavesOther = useApp((app) => app?.oneCallAtATime ?? true);
  const caller = name(call.caller ?? '');
  return (
    <section className={styles.bar} role="alertdialog" aria-label={`${caller} is calling`}>
      <Avatar name={caller} size={40} />
      <p>
        <strong>{caller} is calling</strong>
        <small>{leavesOther ? 'Accepting leaves the call you are in' : call.video ? 'Video call' : 'Voice call'}</small>
      </p>
      <Button
        label="Decline"
        kind="bad-round"
        disabled={!isArmed}
        onPress={() => void attempt(commands.reject(call.cid, null))}
      >
        <Icon name="hangup" />
      </Button>
      <Button
        label="Accept"
        kind="good-round"
        disabled={!isArmed}
        onPress={() => void attempt(commands.join(call.cid, call.video))}
      >
        <Icon name={call.video ? 'video' : 'phone'} />
      </Button>
    </section>
  );
}
