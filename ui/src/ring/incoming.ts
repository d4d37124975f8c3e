import type { CallView } from '#ui/bindings';
import { CallingState } from '#ui/client';

/** The calls that ring here; who waits longest comes first. */
export function incomingCalls(calls: CallView[]): CallView[] {
  return calls.filter((call) => call.direction === 'incoming' && call.state.callingState === CallingState.RINGING);
}

/** What is said of a ring in one line: what it is about, or else what kind of call it is. */
export function said(call: CallView): string {
  return call.about === null ? kind(call) : `“${call.about}”`;
}

export function kind(call: CallView): string {
  return call.video ? 'Video call' : 'Voice call';
}
