import type { CallView } from '#ui/bindings';
import { CallingState } from '#ui/client';

/** The call that rings here and waits longest. */
export function incomingCall(calls: CallView[]): CallView | undefined {
  return calls.find((call) => call.direction === 'incoming' && call.state.callingState === CallingState.RINGING);
}
