// @vitest-environment jsdom
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, expect, test } from 'vitest';

import { forget, take } from '#ui/client';
import { appWith, callThat } from '#ui/fixtures';
import { MyCallUI } from '#ui/watching/MyCallUI';

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  forget();
  document.body.replaceChildren();
});

function shown(): string {
  return document.body.textContent;
}

test('the watching example follows calls as they come and go', () => {
  const place = document.body.appendChild(document.createElement('div'));
  const root = createRoot(place);
  act(() => root.render(<MyCallUI />));
  expect(shown()).toBe('');
  act(() => take(appWith(1, [callThat('ringing', 'incoming')])));
  expect(shown()).toBe('Ben is calling');
  act(() => take(appWith(3, [callThat('ringing', 'outgoing')])));
  expect(shown()).toBe('Calling Ben');
  act(() => take(appWith(2, [callThat('ringing', 'incoming')])));
  expect(shown(), 'an older state is dropped').toBe('Calling Ben');
  act(() => take(appWith(4, [callThat('joined', 'outgoing')])));
  expect(shown()).toBe('');
});
