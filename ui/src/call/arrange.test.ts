import { expect, test } from 'vitest';

import { arrange } from '#ui/call/arrange';

test('one tile takes what it can', () => {
  expect(arrange(1, { width: 1600, height: 900 }, 8)).toEqual({ columns: 1, width: 1600, height: 900 });
  expect(arrange(1, { width: 900, height: 900 }, 8)).toEqual({ columns: 1, width: 900, height: 506 });
});

test('more tiles lie as the window is shaped, and always fit', () => {
  expect(arrange(2, { width: 1600, height: 500 }, 8).columns).toBe(2);
  expect(arrange(2, { width: 500, height: 900 }, 8).columns).toBe(1);
  for (let count = 1; count <= 25; count += 1) {
    for (const area of [
      { width: 960, height: 540 },
      { width: 300, height: 800 },
    ]) {
      const { columns, width, height } = arrange(count, area, 8);
      const rows = Math.ceil(count / columns);
      expect(columns * width + 8 * (columns - 1)).toBeLessThanOrEqual(area.width);
      expect(rows * height + 8 * (rows - 1)).toBeLessThanOrEqual(area.height);
      expect(width).toBeGreaterThan(0);
    }
  }
});

test('no room is no fault', () => {
  expect(arrange(3, { width: 0, height: 0 }, 8)).toEqual({ columns: 1, width: 0, height: 0 });
});
