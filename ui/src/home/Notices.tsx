import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { useApp, useCalls, useMayCall, useNames } from '#ui/client';
import { Button } from '#ui/components/Button';
import { Door } from '#ui/door/Door';
import { Elsewhere } from '#ui/home/Elsewhere';
import { Notice } from '#ui/home/Notice';
import styles from '#ui/home/Notices.module.css';
import { Reminders } from '#ui/home/Reminders';
import { attempt } from '#ui/problems';
import { ending } from '#ui/words';

/** What has just happened, what begins, and calls that go on without me. */
export function Notices() {
  const calls = useCalls();
  const notice = useApp((app) => app?.notice ?? null);
  const unread = useApp((app) => app?.unread ?? null);
  return (
    <div className={styles.notices} aria-live="polite">
      {notice !== null && <Notice says={notice} />}
      <Door />
      <Reminders />
      <Waiting calls={calls} />
      {unread !== null && <Ending call={unread} isKept />}
      {told(calls).map((call) =>
        isOver(call) ? (
          call.cid !== unread?.cid && <Ending key={call.cid} call={call} />
        ) : (
          <Elsewhere key={call.cid} call={call} />
        ),
      )}
    </div>
  );
}

/** At the door of a call in which nothing goes on yet, so that it is not among the calls. */
function Waiting({ calls }: { calls: CallView[] }) {
  const waiting = useApp((app) => app?.waiting ?? null);
  const isReminded = useApp((app) => app?.reminders.some((reminder) => reminder.cid === app.waiting)) ?? false;
  if (waiting === null || isReminded || calls.some((call) => call.cid === waiting)) {
    return null;
  }
  return (
    <Notice says="The call is not open yet" means="You come in by yourself as soon as it is." kind="going">
      <Button label="Do not wait" onPress={() => void commands.stopWaiting()} />
    </Notice>
  );
}

function isOver(call: CallView): boolean {
  return call.state.callingState === 'left' || call.state.callingState === 'ended';
}

/** Of the calls that are over only the last two are told of: they are in the list below as well. */
function told(calls: CallView[]): CallView[] {
  const newest = calls.filter(isOver).slice(-2);
  return calls.filter((call) => !isOver(call) || newest.includes(call));
}

/** How a call ended; one that nobody wanted to end like this is kept until it is read. */
function Ending({ call, isKept = false }: { call: CallView; isKept?: boolean }) {
  const name = useNames();
  const mayCall = useMayCall();
  const { reason } = call.state;
  const says = reason === null ? null : ending(call, reason, name);
  if (says === null) {
    return null;
  }
  // Where another call would be taken, or be refused as the last one was, none is offered.
  const isNoUse = ['answered-elsewhere', 'declined-elsewhere', 'put-out', 'refused'].includes(reason ?? '');
  // Others go on with it: to ring them anew would be a second call.
  const wasLostOnlyHere = reason === 'media-failed' && call.people.length > 1;
  return (
    <Notice
      says={says}
      {...(reason === 'media-failed' ? { means: 'The connection broke. Check your network.' } : {})}
      {...(isKept ? { onClose: () => void commands.closeUnread() } : {})}
    >
      {wasLostOnlyHere ? (
        <Button label="Join again" kind="main" onPress={() => void attempt(commands.join(call.cid, call.video))} />
      ) : (
        mayCall &&
        !isNoUse && (
          <Button
            label="Call again"
            kind="plain"
            onPress={() => void attempt(commands.ring(call.people, call.video))}
          />
        )
      )}
    </Notice>
  );
}
