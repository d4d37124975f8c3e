// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest';

import { App } from '#ui/App';
import type { Stage } from '#ui/bindings';
import { callThat } from '#ui/fixtures';
import { button, fresh, press, show, text, told } from '#ui/test-screen';
import type { Sent } from '#ui/test-screen';

let sent: Sent[];

beforeEach(() => {
  HTMLDialogElement.prototype.showModal = () => undefined;
  HTMLDialogElement.prototype.close = () => undefined;
  sent = fresh({ devices: [{ microphones: [], speakers: [], cameras: [] }], my_devices: [[]] });
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {
        return undefined;
      }
      disconnect() {
        return undefined;
      }
    },
  );
});

function at(stage: Stage): void {
  told(1, {}, { stage });
  show(<App />);
}

test('looking for others can be given up, and what nobody can hurry cannot', async () => {
  at({ stage: 'starting', what: 'Looking for the server…', canStop: true });
  await press('Cancel');
  expect(sent).toEqual([['stop_asking', {}]]);
  told(2, {}, { stage: { stage: 'starting', what: 'Signing in…', canStop: false } });
  expect(button('Cancel')).toBeUndefined();
});

test('an own server that did not start is started again, and no second one begun', async () => {
  const error = { code: 'unavailable', message: 'the port is taken' } as const;
  at({ stage: 'welcome', error, notice: null, back: 'ownServer' });
  expect(button('Start my own')).toBeUndefined();
  await press('Start my server again');
  expect(sent).toEqual([['try_again', {}]]);
});

test('a sign-in that cannot be read is not given up by one press', async () => {
  at({ stage: 'locked', error: { code: 'unavailable', message: 'the keyring is locked' } });
  await press('Sign in anew');
  expect(sent).toEqual([['sign_in_anew', {}]]);
  told(2, {}, { stage: { stage: 'welcome', error: null, notice: null, back: 'signIn' } });
  expect(button('Start my own')).toBeDefined();
  await press('Back to my sign-in');
  expect(sent.at(-1)).toEqual(['try_again', {}]);
});

test('what is open and looked for stays when a call fills the window, and when it ends', async () => {
  told(1, {});
  show(<App />);
  await press('Settings');
  expect(text()).toContain('Your devices');
  told(2, { calls: [callThat('ringing', 'outgoing')] });
  expect(text()).toContain('Calling…');
  expect(text()).toContain('Your devices');
  told(3, {});
  expect(text()).toContain('Recent calls');
  expect(text()).toContain('Your devices');
});
