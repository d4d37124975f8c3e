import { expect, test } from 'vitest';

import type { Outcome, TargetView } from '#ui/bindings';
import { callThat } from '#ui/fixtures';
import { standing } from '#ui/home/standing';
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

test('a missed call is from its caller, whoever else was rung', () => {
  const call = callThat('left', 'incoming');
  expect(ending(call, 'cancelled', 'Ben, Cleo and 2 more', 'Ben')).toBe('You missed a call from Ben');
  expect(ending(call, 'timeout', 'Ben, Cleo and 2 more', 'Ben')).toBe('You missed a call from Ben');
});
