import { expect, test } from 'vitest';

import { day, duration, length, onDay, together } from '#ui/words';

test('a running timer shows minutes and seconds, and hours when there are some', () => {
  expect([0, 999, 65_000, 3_729_000].map(duration)).toEqual(['0:00', '0:00', '1:05', '1:02:09']);
});

test('a length is said at a glance', () => {
  expect([200, 45_000, 240_000, 3_600_000, 3_720_000].map(length)).toEqual([
    '1 s',
    '45 s',
    '4 min',
    '1 h',
    '1 h 2 min',
  ]);
});

test('days are counted by midnight, not by hours', () => {
  const now = new Date(2026, 10, 24, 0, 30).getTime();
  expect(day(new Date(2026, 10, 24, 0, 1).getTime(), now)).toBe('Today');
  expect(day(new Date(2026, 10, 23, 23, 59).getTime(), now)).toBe('Yesterday');
  expect(day(new Date(2026, 10, 22, 23, 59).getTime(), now)).toMatch(/22/);
  expect(day(new Date(2026, 10, 25, 9).getTime(), now)).toBe('Tomorrow');
  expect(onDay(new Date(2026, 10, 25, 9).getTime(), now)).toBe('tomorrow');
  expect(onDay(new Date(2026, 10, 22).getTime(), now)).toMatch(/^on .*22/);
  expect(day(new Date(2025, 10, 22).getTime(), now)).toMatch(/2025/);
});

test('people are listed as in speech', () => {
  expect(together([])).toBe('Nobody else');
  expect(together(['Ann'])).toBe('Ann');
  expect(together(['Ann', 'Ben'])).toBe('Ann and Ben');
  expect(together(['Ann', 'Ben', 'Cleo', 'Dan'])).toBe('Ann, Ben and 2 more');
});
