import type { CallView, Capability } from '#ui/bindings';

/** What this person may do in a call, by what the server has told. */
export function may(call: CallView, capability: Capability): boolean {
  return call.ownCapabilities.includes(capability);
}

/** Why the microphone or the camera cannot be switched on; `null` if it can. */
export function whyNot(call: CallView, capability: 'send-audio' | 'send-video'): string | null {
  if (may(call, capability)) {
    return null;
  }
  return capability === 'send-audio'
    ? 'You may only listen here. Whoever runs the call can let you speak.'
    : 'You may not show a picture here. Whoever runs the call can let you.';
}
