// @vitest-environment jsdom
import { act } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { Person } from '#ui/bindings';
import { People } from '#ui/people/People';
import { button, fresh, press, settled, show, text, told } from '#ui/test-screen';

beforeEach(() => {
  vi.useRealTimers();
});

const person = (id: string, name: string): Person => ({ id, name, role: 'user', presence: 'online', avatar: null });
const guest: Person = { ...person('ann', 'Ann'), role: 'guest' };

test('who may ring finds the telephones, and a press rings that one', async () => {
  const sent = fresh();
  told(1, {});
  show(<People onInvite={null} text="" onText={() => undefined} />);
  await press('Call Ben with video');
  expect(sent).toContainEqual(['ring', { people: ['ben'], video: true }]);
});

test('a guest finds no telephone: a press would only be refused', () => {
  fresh();
  told(1, { me: guest });
  show(<People onInvite={null} text="" onText={() => undefined} />);
  expect(text()).toContain('Ben');
  expect([button('Call Ben'), button('Call Ben with video')]).toEqual([undefined, undefined]);
});

test('nobody is not said before the server has answered', () => {
  fresh();
  told(1, { connection: { status: 'connecting' }, serverName: '', people: [], peopleTotal: 0 });
  show(<People onInvite={null} text="" onText={() => undefined} />);
  expect(text()).toBe('Connecting…');
  told(2, { people: [], peopleTotal: 0 });
  expect(text()).toBe('Nobody else is here yet.');
});

test('on a large server the search says that it searches, leaves me out, and shows more', async () => {
  vi.useFakeTimers();
  const sent = fresh({
    find_people: [{ people: [person('ann', 'Ann'), person('anna', 'Anna')], next: 'anna' }, { people: [] }],
  });
  told(1, { peopleTotal: 400 });
  show(<People onInvite={null} text="ann" onText={() => undefined} />);
  expect(text()).toContain('Searching…');
  expect(text()).not.toContain('Nobody is called');
  await act(async () => {
    vi.advanceTimersByTime(250);
    await settled();
  });
  expect(button('Call Anna')).toBeDefined();
  expect(button('Call Ann'), 'nobody calls himself').toBeUndefined();
  await press('Show more');
  await act(async () => {
    vi.advanceTimersByTime(1);
    await settled();
  });
  expect(sent).toContainEqual(['find_people', { search: 'ann', after: 'anna' }]);
});
