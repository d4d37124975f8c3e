import { expect, test } from 'vitest';

import { isSpoken } from '#ui/welcome/spoken';

test('a link is no code, not even while it is typed', () => {
  for (const typed of ['', ' ', 'b', 'bellbird:', 'bellbird://join/host:1/abc', 'Bellbird']) {
    expect(isSpoken(typed), typed).toBe(false);
  }
  for (const typed of ['abcd', 'bellc', ' ABCD-efgh']) {
    expect(isSpoken(typed), typed).toBe(true);
  }
});
