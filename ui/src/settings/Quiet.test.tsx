// @vitest-environment jsdom
import { act } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { QuietHours } from '#ui/bindings';
import { Quiet } from '#ui/settings/Quiet';
import { button, fresh, press, settled, show, text, told } from '#ui/test-screen';

beforeEach(() => {
  vi.useFakeTimers();
});

const night: QuietHours = { days: ['monday', 'tuesday'], from: 1_320, to: 420 };
const noon: QuietHours = { days: ['sunday'], from: 720, to: 780 };

async function later(): Promise<void> {
  await act(async () => {
    vi.advanceTimersByTime(600);
    await settled();
  });
}

test('two quick edits go out as one, and the second does not undo the first', async () => {
  const sent = fresh();
  told(1, { doNotDisturb: { is_on: false, until: null, hours: [night] } });
  show(<Quiet />);
  await press('friday');
  await press('saturday');
  expect(button('friday')?.ariaPressed, 'shown before the server has it').toBe('true');
  expect(sent).toEqual([]);
  await later();
  const days = ['monday', 'tuesday', 'friday', 'saturday'];
  const wish = { is_on: false, until: null, hours: [{ ...night, days }] };
  expect(sent).toEqual([['set_do_not_disturb', { wish }]]);
});

test('hours that another program has set are kept', async () => {
  const sent = fresh();
  told(1, { doNotDisturb: { hours: [night, noon] } });
  show(<Quiet />);
  expect(text()).toContain('One more set of hours is kept');
  await press('tuesday');
  await later();
  expect(sent).toEqual([['set_do_not_disturb', { wish: { hours: [{ ...night, days: ['monday'] }, noon] } }]]);
});

test('switched off and on again, the hours are what they were', async () => {
  const sent = fresh();
  told(1, { doNotDisturb: { hours: [night] } });
  show(<Quiet />);
  const flip = () =>
    act(() => {
      document.querySelector<HTMLInputElement>('input[aria-label="Quiet hours"]')?.click();
    });
  flip();
  await later();
  told(2, { doNotDisturb: { hours: [] } });
  flip();
  await later();
  expect(sent.at(-1)).toEqual(['set_do_not_disturb', { wish: { hours: [night] } }]);
});
