import type { CallView } from '#ui/bindings';

/** The call that fills the window: the one this device is in, else the one it rings. */
export function callOnScreen(calls: CallView[]): CallView | undefined {
  return calls.find(isIn) ?? calls.find((call) => call.direction === 'outgoing' && isRinging(call));
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
