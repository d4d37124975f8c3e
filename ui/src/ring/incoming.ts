import type { CallView } from '#ui/bindings';
import { CallingState } from '#ui/client';

/** The calls that ring here; who waits longest comes first. */
export function incomingCalls(calls: CallView[]): CallView[] {
  return calls.filter((call) => call.direction === 'incoming' && call.state.callingState === CallingState.RINGING);
}
