import { commands } from '#ui/bindings';
import type { CallView, JoinedView } from '#ui/bindings';
import { useNames } from '#ui/client';
import { Asks } from '#ui/call/Asks';
import { Backstage } from '#ui/call/Backstage';
import styles from '#ui/call/CallScreen.module.css';
import { Controls } from '#ui/call/Controls';
import { EndsSoon } from '#ui/call/EndsSoon';
import { Outgoing } from '#ui/call/Outgoing';
import { Stage } from '#ui/call/Stage';
import { Timer } from '#ui/call/Timer';
import { Button } from '#ui/components/Button';
import { Door } from '#ui/door/Door';
import { attempt } from '#ui/problems';
import { together } from '#ui/words';

/** The call this device is in, or waits for. */
export function CallScreen({ call, onSettings }: { call: CallView; onSettings: () => void }) {
  const name = useNames();
  const others = together(call.people.map(name));
  const { joined } = call;
  return (
    <main className={styles.screen} aria-label={`Call with ${others}`}>
      {joined === null ? (
        <Outgoing call={call} />
      ) : (
        <>
          <header className={styles.head}>
            <strong>{title(joined, others)}</strong>
            {joined.since !== null && <Timer since={joined.since} />}
            {call.state.callingState === 'reconnecting' && (
              <span className={styles.state} role="status">
                Connection lost, reconnecting…
              </span>
            )}
          </header>
          {!joined.speakerOn && <Silent call={call} />}
          <Trouble joined={joined} />
          <div className={styles.door}>
            <Door />
          </div>
          <EndsSoon cid={call.cid} />
          <Asks cid={call.cid} />
          <Backstage call={call} />
          <Stage call={call} joined={joined} others={others} />
        </>
      )}
      <Controls call={call} onSettings={onSettings} />
    </main>
  );
}

/** Who is really there, once somebody is. */
function title(joined: JoinedView, others: string): string {
  const there = joined.participants.filter((participant) => !participant.isMe);
  return there.length === 0 ? others : together(there.map((participant) => participant.name));
}

/** The call's settings begin it without sound. */
function Silent({ call }: { call: CallView }) {
  return (
    <div className={styles.trouble} role="status">
      You do not hear the others: this call begins with the sound off.{' '}
      <Button label="Sound on" kind="plain" onPress={() => void attempt(commands.setSpeaker(call.cid, true))} />
    </div>
  );
}

function Trouble({ joined }: { joined: JoinedView }) {
  const devices = [joined.microphone, joined.camera].flatMap((device) =>
    device.status === 'failed' ? [device.why] : [],
  );
  const troubles = joined.speakerTrouble === null ? devices : [joined.speakerTrouble, ...devices];
  return troubles.map((why) => (
    <p key={why} className={styles.trouble} role="alert">
      {why}
    </p>
  ));
}
