import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import { useApp, useNames } from '#ui/client';
import { Button } from '#ui/components/Button';
import { useNow } from '#ui/components/use-now';
import { Notice } from '#ui/home/Notice';
import { closedUntil, standing } from '#ui/home/standing';
import { attempt } from '#ui/problems';
import { clock, together } from '#ui/words';

/** A call that goes on without this device. */
export function Elsewhere({ call }: { call: CallView }) {
  const name = useNames();
  const now = useNow(1000);
  if (call.state.callingState !== 'idle') {
    return null;
  }
  const others = together(call.people.map(name));
  switch (standing(call)) {
    case 'going-on': {
      const closed = closedUntil(call, now);
      return closed === null ? (
        <Notice says={`A call with ${others} is going on`} kind="going">
          <Button label="Join" kind="main" onPress={() => void attempt(commands.join(call.cid, false))} />
        </Notice>
      ) : (
        <Closed call={call} others={others} opensAt={closed.opensAt} />
      );
    }
    case 'rung-elsewhere':
      return <Notice says={`You are calling ${others} on another device`} kind="going" />;
    case 'nothing':
      return null;
  }
}

/** It has begun backstage, where I do not get in: I can wait at its door. */
function Closed({ call, others, opensAt }: { call: CallView; others: string; opensAt: number | null }) {
  const isWaiting = useApp((app) => app?.waiting === call.cid);
  const opens = opensAt === null ? 'when its host goes live' : `at ${clock(opensAt)}, or when its host goes live`;
  return isWaiting ? (
    <Notice
      says={`Waiting for the call with ${others} to open`}
      means={`It opens ${opens}. You come in by yourself then.`}
      kind="going"
    >
      <Button label="Do not wait" onPress={() => void commands.stopWaiting()} />
    </Notice>
  ) : (
    <Notice says={`The call with ${others} is not open yet`} means={`It opens ${opens}.`} kind="going">
      <Button label="Come in when it opens" kind="main" onPress={() => void attempt(commands.join(call.cid, false))} />
    </Notice>
  );
}
