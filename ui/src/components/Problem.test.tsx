// @vitest-environment jsdom
import { act } from 'react';
import { expect, test } from 'vitest';

import { Problem } from '#ui/components/Problem';
import { callThat } from '#ui/fixtures';
import { attempt, showProblem } from '#ui/problems';
import { fresh, press, show, text, told } from '#ui/test-screen';

const refused = { status: 'error', error: { code: 'call-full', message: 'the call is full' } } as const;
const done = { status: 'ok', data: null } as const;

test('a refusal goes when the same thing works, and not when another does', async () => {
  fresh();
  told(1, {});
  show(<Problem />);
  await act(() => attempt(Promise.resolve(refused), 'join'));
  expect(text()).toContain('the call is full');
  await act(() => attempt(Promise.resolve(done), 'mute'));
  expect(text(), 'it was not read yet').toContain('the call is full');
  await act(() => attempt(Promise.resolve(done), 'join'));
  expect(text()).toBe('');
});

test('a message in a call leaves the controls free, and says when to try again', () => {
  fresh();
  told(1, { calls: [callThat('joined', 'outgoing')] });
  show(<Problem />);
  act(() => showProblem({ code: 'rate-limited', message: 'too many rings', retry_after_ms: 12_000 }));
  expect(document.querySelector('[role=alert]')?.getAttribute('data-in-call')).toBe('true');
  expect(text()).toContain('It works again in 12 s.');
});

test('of two sources the one outside the window is read first', async () => {
  fresh();
  const error = { code: 'unavailable', message: 'the popup’s' } as const;
  told(1, {}, { problem: { sequence: 1, error } });
  show(<Problem />);
  act(() => showProblem({ code: 'conflict', message: 'the window’s' }));
  expect(text()).toContain('the popup’s');
  await press('Close this message');
  expect(text()).toContain('the window’s');
  await press('Close this message');
  expect(text()).toBe('');
});
