// @vitest-environment jsdom
import { expect, test } from 'vitest';

import { callThat } from '#ui/fixtures';
import { Notices } from '#ui/home/Notices';
import { button, fresh, press, show, text, told } from '#ui/test-screen';

test('a lost call is told until it is read, and is come into again while others go on with it', async () => {
  const sent = fresh();
  const lost = {
    ...callThat('left', 'incoming'),
    state: { callingState: 'left', reason: 'media-failed', refusal: null } as const,
  };
  told(1, {}, { unread: lost });
  show(<Notices />);
  expect(text()).toContain('Your call with Ben was lost');
  expect(button('Call again')).toBeDefined();
  told(2, {}, { unread: { ...lost, people: ['ben', 'cleo'] } });
  expect(button('Call again'), 'that would be a second call').toBeUndefined();
  await press('Join again');
  await press('Close this message');
  expect(sent).toEqual([
    ['join', { cid: 'default:1', video: true }],
    ['close_unread', {}],
  ]);
});

test('a planned call is told before it begins, and joined here', async () => {
  const sent = fresh();
  const reminder = { cid: 'default:9', title: 'Standup', by: null, startsAt: Date.now() + 300_000 };
  told(1, {}, { reminders: [reminder] });
  show(<Notices />);
  expect(text()).toContain('Standup begins in 5 min');
  await press('Join');
  await press('Close this message');
  expect(sent).toEqual([
    ['join', { cid: 'default:9', video: false }],
    ['close_reminder', { cid: 'default:9' }],
  ]);
  told(2, {}, { reminders: [{ ...reminder, by: 'ben', startsAt: Date.now() + 90_000_000 }] });
  expect(text()).toContain('Ben invites you.');
  expect(button('Join'), 'that would be too early').toBeUndefined();
});

test('who may not be backstage waits at the door, and not before a button that is refused', async () => {
  const sent = fresh();
  const closed = { ...callThat('idle', 'none'), ring: null, opening: { status: 'backstage', opensAt: null } as const };
  told(1, { calls: [closed] });
  show(<Notices />);
  expect(text()).toContain('is not open yet');
  expect(button('Join')).toBeUndefined();
  await press('Come in when it opens');
  told(2, { calls: [closed] }, { waiting: closed.cid });
  expect(text()).toContain('You come in by yourself then.');
  await press('Do not wait');
  expect(sent).toEqual([
    ['join', { cid: 'default:1', video: false }],
    ['stop_waiting', {}],
  ]);
  told(3, { calls: [] }, { waiting: closed.cid });
  expect(text(), 'nothing goes on in it yet').toContain('You come in by yourself as soon as it is.');
  expect(button('Do not wait')).toBeDefined();
  told(4, { calls: [{ ...closed, opening: { status: 'live' } }] });
  expect(button('Join')).toBeDefined();
});

test('a guest is not offered to call again', () => {
  fresh();
  const me = { id: 'ann', name: 'Ann', role: 'guest', presence: 'online', avatar: null } as const;
  const over = {
    ...callThat('left', 'incoming'),
    state: { callingState: 'left', reason: 'cancelled', refusal: null } as const,
  };
  told(1, { me, calls: [over] });
  show(<Notices />);
  expect(text()).toContain('You missed a call from Ben');
  expect(button('Call again')).toBeUndefined();
});
