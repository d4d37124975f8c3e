import { expect, test } from 'vitest';

import { minutes, untilTomorrow } from '#ui/settings/quiet';

test('tomorrow is the next morning, also at the end of a month', () => {
  const morning = new Date(untilTomorrow(new Date(2026, 0, 31, 23, 59)));
  expect([morning.getMonth(), morning.getDate(), morning.getHours(), morning.getMinutes()]).toEqual([1, 1, 8, 0]);
});

test('a time field is a minute of the day, or nothing yet', () => {
  expect(minutes('07:30')).toBe(450);
  expect(minutes('23:59:30')).toBe(1439);
  expect(minutes('')).toBeNull();
  expect(minutes('24:00')).toBeNull();
});
