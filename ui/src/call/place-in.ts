import type { CallView, UserId } from '#ui/bindings';
import { userOf } from '#ui/call/user-of';

/** Where somebody stands in a call that goes on; `null` for who has nothing to do with it. */
export function placeIn(call: CallView, user: UserId): string | null {
  if (call.joined?.participants.some((participant) => userOf(participant.identity) === user) === true) {
    return 'In this call';
  }
  const target = call.ring?.targets.find((known) => known.user === user);
  if (target === undefined) {
    return null;
  }
  switch (target.outcome) {
    case 'ringing':
      return 'Ringing…';
    case 'accepted':
      return 'Was in this call';
    case 'declined':
      return target.message === null ? 'Declined' : `Declined: “${target.message}”`;
    case 'busy':
      return 'In another call';
    case 'missed':
    case 'cancelled':
      return 'No answer';
  }
}
