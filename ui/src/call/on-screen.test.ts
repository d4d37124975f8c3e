import { expect, test } from 'vitest';

import { callOnScreen } from '#ui/call/on-screen';
import { callThat } from '#ui/fixtures';

test('the joined call fills the window, then the one that is being rung; an incoming one never does', () => {
  const incoming = callThat('ringing', 'incoming');
  const outgoing = callThat('ringing', 'outgoing');
  const joined = callThat('reconnecting', 'incoming');
  expect(callOnScreen([incoming, outgoing, joined])).toBe(joined);
  expect(callOnScreen([incoming, outgoing])).toBe(outgoing);
  expect(callOnScreen([incoming, callThat('ended', 'outgoing'), callThat('left', 'incoming')])).toBeUndefined();
});
