import type { CallView } from '#ui/bindings';

/** What goes on in a call that this device is not in. */
export type Standing = 'going-on' | 'rung-elsewhere' | 'nothing';

/**
 * A call that still rings has not begun as far as this device can tell: another device of the person rings it. Once
 * somebody has accepted, or nobody is rung any more and the call is still there, it goes on.
 */
export function standing(call: CallView): Standing {
  if (!call.goesOn) {
    return 'nothing';
  }
  const targets = call.ring?.targets ?? [];
  const rings = targets.some((target) => target.outcome === 'ringing');
  if (!rings || targets.some((target) => target.outcome === 'accepted')) {
    return 'going-on';
  }
  return call.direction === 'outgoing' ? 'rung-elsewhere' : 'nothing';
}

/** Until when a call is closed to this person, who may not be backstage; `null` when he gets in. */
export function closedUntil(call: CallView, now: number): { opensAt: number | null } | null {
  if (call.opening.status !== 'backstage' || call.ownCapabilities.includes('join-backstage')) {
    return null;
  }
  const { opensAt } = call.opening;
  return opensAt !== null && opensAt <= now ? null : { opensAt };
}
