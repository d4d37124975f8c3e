import type { CallView, HistoryView, Person, UserId } from '#ui/bindings';

/** What the telephone beside a call of the history does. */
export type CallBack =
  | { what: 'nothing' }
  /** It goes on, without this device. */
  | { what: 'join' }
  /** Rings these people; `all` is whom else one may want instead. */
  | { what: 'ring'; people: UserId[]; all: UserId[] | null };

/**
 * Who missed a call of many wants its caller. Programs cannot be rung, and a call that goes on is come into instead.
 */
export function callBack(entry: HistoryView, me: UserId, people: Person[], calls: CallView[]): CallBack {
  const call = calls.find((known) => known.cid === entry.cid);
  if (entry.outcome === 'ongoing' && call !== undefined) {
    return call.state.callingState === 'idle' && call.goesOn ? { what: 'join' } : { what: 'nothing' };
  }
  const isProgram = (id: UserId) => people.some((person) => person.id === id && person.is_program === true);
  const others = [...new Set([entry.caller, ...entry.people])].filter((id) => id !== me && !isProgram(id));
  if (others.length === 0) {
    return { what: 'nothing' };
  }
  const wasMissed = entry.outcome === 'missed' && entry.direction === 'incoming';
  return wasMissed && others.length > 1 && others.includes(entry.caller)
    ? { what: 'ring', people: [entry.caller], all: others }
    : { what: 'ring', people: others, all: null };
}
