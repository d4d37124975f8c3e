import type { CallView, EndReason, HistoryView, Person } from '#ui/bindings';

/** `4:05`, `1:02:09`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** `45 s`, `4 min`, `1 h 2 min`: a length at a glance. */
export function length(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) {
    return `${Math.max(1, seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** The day of a call, as people say it. */
export function day(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  // Rounded: a day with a change of the clock has 23 or 25 hours.
  const days = Math.round((midnight(today) - midnight(then)) / 86_400_000);
  if (days === 0) {
    return 'Today';
  }
  if (days === 1) {
    return 'Yesterday';
  }
  if (days === -1) {
    return 'Tomorrow';
  }
  const withYear = then.getFullYear() !== today.getFullYear();
  return then.toLocaleDateString(undefined, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(withYear ? { year: 'numeric' } : {}),
  });
}

/** The same inside a sentence. */
export function onDay(at: number, now: number): string {
  const said = day(at, now);
  return said === 'Today' || said === 'Yesterday' || said === 'Tomorrow' ? said.toLowerCase() : `on ${said}`;
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}

/** `Ann`, `Ann and Ben`, `Ann, Ben and 2 more`. */
export function together(names: string[]): string {
  const [first, second, ...rest] = names;
  if (first === undefined) {
    return 'Nobody else';
  }
  if (second === undefined) {
    return first;
  }
  return rest.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${rest.length} more`;
}

export function presence(person: Person): string {
  switch (person.presence) {
    case 'online':
      return 'Online';
    case 'away':
      return 'Away';
    case 'in_call':
      return 'In a call';
    case 'do_not_disturb':
      return 'Do not disturb';
    case 'offline':
      return 'Offline';
  }
}

/** How a call of the history went. */
export function outcome(entry: HistoryView): string {
  const quoted = entry.message === null ? '' : `: “${entry.message}”`;
  switch (entry.outcome) {
    case 'ongoing':
      return 'Now';
    case 'answered':
      return length(entry.durationMs);
    case 'declined':
      return `Declined${quoted}`;
    case 'busy':
      return 'Busy';
    case 'missed':
      return entry.direction === 'outgoing' ? 'No answer' : 'Missed';
  }
}

/** What to tell when a call is over; nothing for what the person did himself. */
export function ending(call: CallView, reason: EndReason, name: (id: string) => string): string | null {
  const others = together(call.people.map(name));
  const caller = name(call.caller ?? '');
  const isIncoming = call.direction === 'incoming';
  switch (reason) {
    case 'answered':
    case 'left':
      return null;
    case 'answered-elsewhere':
      return `${isIncoming ? `The call from ${caller}` : `Your call with ${others}`} was answered on another device`;
    case 'declined-elsewhere':
      return `The call from ${caller} was declined on another device`;
    case 'declined':
      return isIncoming ? null : declined(call, name);
    case 'cancelled':
      return isIncoming ? `You missed a call from ${caller}` : null;
    case 'timeout':
      return isIncoming ? `You missed a call from ${caller}` : `${others} did not answer`;
    case 'busy':
      return call.people.length > 1 ? `${others} are in other calls` : `${others} is in another call`;
    case 'ended':
      return 'The call has ended';
    case 'put-out':
      return 'You were put out of the call';
    case 'refused':
      return call.state.refusal?.message ?? 'You were not let into the call';
    case 'media-failed':
      return `Your call with ${others} was lost`;
  }
}

/** Each one's words are his own. */
function declined(call: CallView, name: (id: string) => string): string {
  const others = together(call.people.map(name));
  const targets = call.ring?.targets ?? [];
  const words = targets.flatMap((target) =>
    target.message === null ? [] : [{ who: name(target.user), said: `“${target.message}”` }],
  );
  const [first] = words;
  if (first === undefined) {
    return `${others} declined the call`;
  }
  if (targets.length === 1) {
    return `${first.who} declined: ${first.said}`;
  }
  return `${others} declined the call. ${words.map(({ who, said }) => `${who}: ${said}`).join(', ')}`;
}
