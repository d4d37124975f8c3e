// @vitest-environment jsdom
import { act } from 'react';
import { expect, test, vi } from 'vitest';

import type { HistoryView, Person } from '#ui/bindings';
import { callThat } from '#ui/fixtures';
import { callBack } from '#ui/home/call-back';
import { Recent, RecentHeading } from '#ui/home/Recent';
import { button, fresh, press, settled, show, text, told } from '#ui/test-screen';

const missed: HistoryView = {
  id: 7,
  cid: 'default:1',
  at: 0,
  direction: 'incoming',
  outcome: 'missed',
  durationMs: 0,
  caller: 'ben',
  people: ['ann'],
  video: false,
  message: null,
  reason: null,
  unseen: true,
};
const person = (id: string): Person => ({ id, name: id, role: 'user', presence: 'online', avatar: null });

test('a missed call of many is called back to its caller, and to all only on purpose', () => {
  const group = { ...missed, people: ['ann', 'cleo'] };
  expect(callBack(group, 'ann', [], [])).toEqual({ what: 'ring', people: ['ben'], all: ['ben', 'cleo'] });
  const answered = { ...group, outcome: 'answered' as const };
  expect(callBack(answered, 'ann', [], [])).toEqual({ what: 'ring', people: ['ben', 'cleo'], all: null });
});

test('a call that goes on is joined, and a program or nobody cannot be rung', () => {
  const ongoing = { ...missed, outcome: 'ongoing' as const };
  expect(callBack(ongoing, 'ann', [], [callThat('idle', 'incoming')])).toEqual({ what: 'join' });
  expect(callBack(ongoing, 'ann', [], [callThat('joined', 'incoming')])).toEqual({ what: 'nothing' });
  const shop = { ...person('ben'), is_program: true };
  expect(callBack(missed, 'ann', [shop], [])).toEqual({ what: 'nothing' });
  expect(callBack({ ...missed, caller: 'ann', people: [] }, 'ann', [], [])).toEqual({ what: 'nothing' });
});

test('a missed call stays marked until somebody is really there', async () => {
  const sent = fresh();
  vi.spyOn(document, 'hasFocus').mockReturnValue(true);
  told(1, { history: [missed] });
  show(
    <>
      <RecentHeading />
      <Recent />
    </>,
  );
  expect(text()).toContain('1 missed');
  expect(sent, 'an open window is nobody').toEqual([]);
  await act(async () => {
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }));
    await settled();
  });
  expect(sent).toEqual([['mark_missed_seen', {}]]);
  told(2, { history: [{ ...missed, unseen: false }] });
  expect(text()).not.toContain('1 missed');
});

test('a guest reads who can call him, and finds no telephone beside a call', async () => {
  fresh();
  const me = { ...person('ann'), role: 'guest' as const };
  told(1, { me });
  show(<Recent />);
  expect(text()).toContain('Who invited you can call you here.');
  told(2, { me, history: [missed] });
  expect(button('Call Ben back')).toBeUndefined();
  await press('Call Ben back');
});
