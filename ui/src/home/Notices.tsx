import { commands } from '#ui/bindings';
import type { CallView, EndReason } from '#ui/bindings';
import { useApp, useCalls, useNames } from '#ui/client';
import { Button } from '#ui/components/Button';
import { Door } from '#ui/door/Door';
import styles from '#ui/home/Notices.module.css';
import { standing } from '#ui/home/standing';
import { attempt } from '#ui/problems';
import { ending, together } from '#ui/words';

/** What has just happened, and calls that go on without me. */
export function Notices() {
  const calls = useCalls();
  const notice = useApp((app) => app?.notice ?? null);
  return (
    <div className={styles.notices} aria-live="polite">
      {notice !== null && (
        <div className={styles.notice}>
          <p>{notice}</p>
        </div>
      )}
      <Door />
      {told(calls).map((call) => (
        <Notice key={call.cid} call={call} />
      ))}
    </div>
  );
}

/** Of the calls that are over only the last two are told of: they are in the list below as well. */
function told(calls: CallView[]): CallView[] {
  const isOver = (call: CallView) => call.state.callingState === 'left' || call.state.callingState === 'ended';
  const newest = calls.filter(isOver).slice(-2);
  return calls.filter((call) => !isOver(call) || newest.includes(call));
}

function Notice({ call }: { call: CallView }) {
  const name = useNames();
  const others = together(call.people.map(name));
  switch (call.state.callingState) {
    case 'idle':
      return <Elsewhere call={call} others={others} />;
    case 'left':
    case 'ended': {
      const told = call.state.reason === null ? null : ending(call, call.state.reason, others, name(call.caller ?? ''));
      if (told === null) {
        return null;
      }
      return (
        <div className={styles.notice}>
          <p>{told}</p>
          {mayCallAgain(call.state.reason) && (
            <Button
              label="Call again"
              kind="plain"
              onPress={() => void attempt(commands.ring(call.people, call.video))}
            />
          )}
        </div>
      );
    }
    case 'ringing':
    case 'joining':
    case 'joined':
    case 'reconnecting':
      return null;
  }
}

/** Where another call would be taken, or be refused as the last one was, none is offered. */
function mayCallAgain(reason: EndReason | null): boolean {
  switch (reason) {
    case 'answered-elsewhere':
    case 'declined-elsewhere':
    case 'put-out':
    case 'refused':
      return false;
    case null:
    case 'answered':
    case 'declined':
    case 'cancelled':
    case 'timeout':
    case 'busy':
    case 'ended':
    case 'left':
    case 'media-failed':
      return true;
  }
}

function Elsewhere({ call, others }: { call: CallView; others: string }) {
  switch (standing(call)) {
    case 'going-on':
      return (
        <div className={styles.notice} data-kind="going">
          <p>A call with {others} is going on</p>
          <Button label="Join" kind="main" onPress={() => void attempt(commands.join(call.cid, false))} />
        </div>
      );
    case 'rung-elsewhere':
      return (
        <div className={styles.notice} data-kind="going">
          <p>You are calling {others} on another device</p>
        </div>
      );
    case 'nothing':
      return null;
  }
}
