import { commands } from '#ui/bindings';
import type { Reminder } from '#ui/bindings';
import { useApp, useNames } from '#ui/client';
import { Button } from '#ui/components/Button';
import { useNow } from '#ui/components/use-now';
import { Notice } from '#ui/home/Notice';
import { attempt } from '#ui/problems';
import { clock, length, onDay } from '#ui/words';

const NONE: Reminder[] = [];
/** A call that begins within this can be joined here, in milliseconds. */
const SOON = 600_000;

/** Planned calls that somebody told of, or whose time comes. */
export function Reminders() {
  const reminders = useApp((app) => app?.reminders) ?? NONE;
  const waiting = useApp((app) => app?.waiting ?? null);
  const name = useNames();
  const now = useNow(1000);
  return reminders.map((reminder) => {
    const { cid, by, startsAt } = reminder;
    const isSoon = startsAt === null || startsAt - now <= SOON;
    const invited = by === null ? undefined : `${name(by)} invites you.`;
    return (
      <Notice
        key={cid}
        kind="going"
        says={begins(reminder, now)}
        {...(waiting === cid
          ? { means: 'It is not open yet. You come in by yourself as soon as it is.' }
          : invited === undefined
            ? {}
            : { means: invited })}
        onClose={() => void commands.closeReminder(cid)}
      >
        {waiting === cid ? (
          <Button label="Do not wait" onPress={() => void commands.stopWaiting()} />
        ) : (
          isSoon && <Button label="Join" kind="main" onPress={() => void attempt(commands.join(cid, false))} />
        )}
      </Notice>
    );
  });
}

function begins({ title, startsAt }: Reminder, now: number): string {
  const what = title.charAt(0).toUpperCase() + title.slice(1);
  if (startsAt === null) {
    return `${what} is there to join`;
  }
  const left = startsAt - now;
  if (left < -30_000) {
    return `${what} has begun, at ${clock(startsAt)}`;
  }
  if (left < 30_000) {
    return `${what} begins now`;
  }
  return left <= SOON
    ? `${what} begins in ${length(left)}`
    : `${what} begins ${onDay(startsAt, now)} at ${clock(startsAt)}`;
}
