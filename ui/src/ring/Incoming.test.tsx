// @vitest-environment jsdom
import { act } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';

import { callThat } from '#ui/fixtures';
import { IncomingBar } from '#ui/ring/IncomingBar';
import { IncomingPopup } from '#ui/ring/IncomingPopup';
import { button, fresh, press, show, text, told } from '#ui/test-screen';

beforeEach(() => {
  vi.useFakeTimers();
});

const ringing = callThat('ringing', 'incoming', 2);
const inCall = callThat('joined', 'outgoing', 1);
const LEAVES = 'Accepting leaves the call you are in';

function armed(): void {
  act(() => {
    vi.advanceTimersByTime(600);
  });
}

test('the popup says that accepting leaves the call this person is in', () => {
  fresh();
  told(1, { calls: [ringing] });
  show(<IncomingPopup />);
  expect(text()).not.toContain(LEAVES);
  told(2, { calls: [inCall, ringing] });
  expect(text()).toContain(LEAVES);
  told(3, { calls: [inCall, ringing] }, { oneCallAtATime: false });
  expect(text(), 'both are kept').not.toContain(LEAVES);
  told(4, { calls: [callThat('ringing', 'outgoing', 1), ringing] });
  expect(text()).toContain('Accepting gives up the call you are making');
});

const about = { ...ringing, about: 'Dinner at eight?' };

test('the popup says what the caller says it is about', () => {
  fresh();
  told(1, { calls: [about, { ...callThat('ringing', 'incoming', 3), about: 'The lift is stuck' }] });
  show(<IncomingPopup />);
  expect(text()).toContain('Dinner at eight?');
  expect(text()).toContain('Video call');
  expect(text()).toContain('“The lift is stuck”');
});

test('a press that was meant for something else answers nothing', async () => {
  const sent = fresh();
  told(1, { calls: [ringing] });
  show(<IncomingPopup />);
  expect(button('Accept')?.disabled).toBe(true);
  await press('Accept');
  expect(sent).toEqual([]);
  armed();
  await press('Decline');
  expect(sent).toEqual([['reject', { cid: 'default:2', message: null }]]);
});

test('the bar tells of every ring, with the one that waits longest first', async () => {
  const sent = fresh();
  told(1, { calls: [about] });
  show(<IncomingBar />);
  expect(text()).toContain('“Dinner at eight?”');
  told(2, { calls: [inCall, about, callThat('ringing', 'incoming', 3)] });
  expect(document.querySelectorAll('section')).toHaveLength(2);
  expect(text()).toContain(LEAVES);
  armed();
  await act(async () => {
    window.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyD', altKey: true, shiftKey: true }));
    await Promise.resolve();
  });
  expect(sent).toEqual([['reject', { cid: 'default:2', message: null }]]);
});
