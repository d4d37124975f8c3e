import { expect, test } from 'vitest';

import { toRgba } from '#ui/video/i420';
import { readPacket } from '#ui/video/packet';

test('a packet is read as the shell writes it', () => {
  const bytes = new Uint8Array([1, 0x40, 0x42, 0x0f, 0, 0, 0, 0, 0, 0x80, 0x02, 0x68, 0x01, 7, 8]);
  expect(readPacket(bytes.buffer)).toEqual({
    kind: 'key',
    timestamp: 1_000_000,
    width: 640,
    height: 360,
    data: new Uint8Array([7, 8]),
  });
  expect(readPacket(new ArrayBuffer(12))).toBeNull();
  expect(readPacket(new Uint8Array(13).fill(9).buffer)).toBeNull();
});

test('known colours come out of I420', () => {
  const picture = (y: number, u: number, v: number) => new Uint8Array([y, y, y, y, u, v]);
  const pixel = (data: Uint8Array) => [...toRgba(data, 2, 2)].slice(0, 3);
  // Black, white and the three primaries of BT.601 (75 % bars are the same points scaled).
  expect(pixel(picture(16, 128, 128))).toEqual([0, 0, 0]);
  expect(pixel(picture(235, 128, 128))).toEqual([254, 254, 254]);
  const [r, g, b] = pixel(picture(81, 90, 240));
  expect([r, g, b].map((value, place) => Math.abs((value ?? 0) - (place === 0 ? 255 : 0)) < 4)).toEqual([
    true,
    true,
    true,
  ]);
});
