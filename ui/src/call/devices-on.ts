import type { DeviceView } from '#ui/bindings';

/** Wanted on: a device that fails is one that is switched on. */
export function isOn(device: DeviceView): boolean {
  switch (device.status) {
    case 'on':
    case 'failed':
      return true;
    case 'off':
      return false;
  }
}
