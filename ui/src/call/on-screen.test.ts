import { expect, test } from 'vitest';

import type { CallView } from '#ui/bindings';
import { callOnScreen, joinedCalls } from '#ui/call/on-screen';
import { callThat } from '#ui/fixtures';

test('the joined call fills the window, then the one that is being rung; an incoming one never does', () => {
  const incoming = callThat('ringing', 'incoming');
  const outgoing = callThat('ringing', 'outgoing');
  const joined = callThat('reconnecting', 'incoming');
  expect(callOnScreen([incoming, outgoing, joined], null)).toBe(joined);
  expect(callOnScreen([incoming, outgoing], null)).toBe(outgoing);
  expect(callOnScreen([incoming, callThat('ended', 'outgoing'), callThat('left', 'incoming')], null)).toBeUndefined();
});

test('of several joined calls the newest is shown, and another one if it is chosen, until a newer one comes', () => {
  const joined = (number: number, since: number | null): CallView => ({
    ...callThat(since === null ? 'joining' : 'joined', 'incoming', number),
    joined: {
      since,
      longestMs: null,
      microphone: { status: 'on' },
      camera: { status: 'off' },
      speakerOn: true,
      speakerTrouble: null,
      participants: [],
    },
  });
  const [old, late, coming] = [joined(1, 100), joined(2, 200), joined(3, null)];
  expect(joinedCalls([coming, late, old]).map((call) => call.cid)).toEqual([old.cid, late.cid, coming.cid]);
  expect(callOnScreen([late, old], null)).toBe(late);
  const choice = { cid: old.cid, newest: late.cid };
  expect(callOnScreen([late, old], choice)).toBe(old);
  expect(callOnScreen([late, old, coming], choice)).toBe(coming);
  expect(callOnScreen([late], choice)).toBe(late);
});
