// @vitest-environment jsdom
import { act } from 'react';
import { expect, test } from 'vitest';

import type { DeviceEntry } from '#ui/bindings';
import { MyDevices } from '#ui/settings/MyDevices';
import { button, fresh, press, settled, show, text, told } from '#ui/test-screen';

const device = (id: string, name: string, isThis: boolean): DeviceEntry => ({
  id,
  name,
  created_at: Date.now(),
  is_this: isThis,
});

async function opened(): Promise<void> {
  show(<MyDevices onAdd={() => undefined} />);
  await act(settled);
}

test('every device is listed, and another one is signed out on purpose', async () => {
  const devices = [device('d1', 'desk', true), device('d2', 'laptop', false)];
  const sent = fresh({ my_devices: [devices, devices.slice(0, 1)] });
  told(1, {});
  await opened();
  expect(text()).toContain('This device, signed in today');
  expect(button('Sign out desk'), 'that has its own place').toBeUndefined();
  await press('Sign out laptop');
  expect(sent).toEqual([['my_devices', {}]]);
  await press('Really sign out laptop');
  await act(settled);
  expect(sent).toEqual([
    ['my_devices', {}],
    ['sign_out_device', { device: 'd2' }],
    ['my_devices', {}],
  ]);
  expect(text()).not.toContain('laptop');
});
