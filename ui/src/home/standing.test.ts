import { expect, test } from 'vitest';

import type { Outcome, TargetView } from '#ui/bindings';
import { callThat } from '#ui/fixtures';
import { closedUntil, standing } from '#ui/home/standing';
import { ending } from '#ui/words';

const target = (user: string, outcome: Outcome): TargetView => ({
  user,
  outcome,
  alerted: true,
  reason: null,
  message: null,
});

function ringing(direction: 'incoming' | 'outgoing', ...outcomes: Outcome[]) {
  const targets = outcomes.map((outcome, number) => target(`person-${number}`, outcome));
  return { ...callThat('idle', direction), ring: { id: 'r1', endsAt: 0, targets } };
}

test('a call that only rings on another device of mine does not go on', () => {
  expect(standing(ringing('outgoing', 'ringing'))).toBe('rung-elsewhere');
  expect(standing(ringing('outgoing', 'declined', 'ringing'))).toBe('rung-elsewhere');
  expect(standing(ringing('incoming', 'ringing'))).toBe('nothing');
});

test('a call that somebody has accepted, or that nobody is rung for, goes on', () => {
  expect(standing(ringing('outgoing', 'accepted', 'ringing'))).toBe('going-on');
  expect(standing(ringing('incoming', 'missed', 'accepted'))).toBe('going-on');
  expect(standing({ ...callThat('idle', 'none'), ring: null })).toBe('going-on');
});

const NAMES: Record<string, string> = { ann: 'Ann', ben: 'Ben', cleo: 'Cleo' };
const named = (id: string) => NAMES[id] ?? id;

test('a missed call is from its caller, whoever else was rung', () => {
  const call = callThat('left', 'incoming');
  expect(ending(call, 'cancelled', named)).toBe('You missed a call from Ben');
  expect(ending(call, 'timeout', named)).toBe('You missed a call from Ben');
});

test('what is said of several is said of several, and each one’s words are his own', () => {
  const call = { ...callThat('left', 'outgoing'), people: ['ben', 'cleo'] };
  const targets = [target('ben', 'declined'), { ...target('cleo', 'declined'), message: 'in a meeting' }];
  const declined = { ...call, ring: { id: 'r1', endsAt: 0, targets } };
  expect(ending(call, 'busy', named)).toBe('Ben and Cleo are in other calls');
  expect(ending(callThat('left', 'outgoing'), 'busy', named)).toBe('Ben is in another call');
  expect(ending(declined, 'declined', named)).toBe('Ben and Cleo declined the call. Cleo: “in a meeting”');
  expect(ending(callThat('left', 'incoming'), 'answered-elsewhere', named)).toBe(
    'The call from Ben was answered on another device',
  );
});

test('a backstage is closed to who may not be there, until its time', () => {
  const call = { ...callThat('idle', 'none'), opening: { status: 'backstage', opensAt: 2_000 } as const };
  expect(closedUntil(call, 1_000)).toEqual({ opensAt: 2_000 });
  expect(closedUntil(call, 2_000)).toBeNull();
  expect(closedUntil({ ...call, ownCapabilities: ['join-backstage'] }, 1_000)).toBeNull();
  expect(closedUntil({ ...call, opening: { status: 'backstage', opensAt: null } }, 9_999)).toEqual({ opensAt: null });
  expect(closedUntil({ ...call, opening: { status: 'live' } }, 1_000)).toBeNull();
});

test('a call that is over is none, although its end is shown a moment longer', () => {
  expect(standing({ ...callThat('idle', 'outgoing'), goesOn: false })).toBe('nothing');
});
