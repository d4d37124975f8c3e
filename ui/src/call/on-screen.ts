import type { CallId, CallView } from '#ui/bindings';

/** The calls this device is in, in the order it came in. */
export function joinedCalls(calls: CallView[]): CallView[] {
  return calls.filter(isIn).toSorted((a, b) => begun(a) - begun(b));
}

/** A choice of one among several calls; it was made while `newest` was the newest, and ends when another is. */
export type Choice = { cid: CallId; newest: CallId | undefined };

/** The call that fills the window: the chosen one or the newest that this device is in, else the one it rings. */
export function callOnScreen(calls: CallView[], choice: Choice | null): CallView | undefined {
  const joined = joinedCalls(calls);
  const newest = joined.at(-1);
  const chosen = choice?.newest === newest?.cid ? joined.find((call) => call.cid === choice?.cid) : undefined;
  return chosen ?? newest ?? calls.find((call) => call.direction === 'outgoing' && isRinging(call));
}

/** On the way in is later than every call that runs. */
function begun(call: CallView): number {
  return call.joined?.since ?? Number.MAX_SAFE_INTEGER;
}

function isRinging(call: CallView): boolean {
  return call.state.callingState === 'ringing';
}

function isIn(call: CallView): boolean {
  switch (call.state.callingState) {
    case 'joining':
    case 'joined':
    case 'reconnecting':
      return true;
    case 'idle':
    case 'ringing':
    case 'left':
    case 'ended':
      return false;
  }
}
