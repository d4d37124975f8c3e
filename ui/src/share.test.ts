import { expect, test } from 'vitest';

import { share } from '#ui/share';

test('unchanged parts stay identical and changed ones are taken', () => {
  const before = { people: [{ id: 'ann' }, { id: 'ben' }], calls: [{ cid: 'a', ring: null }] };
  const after = { people: [{ id: 'ann' }, { id: 'ben' }], calls: [{ cid: 'a', ring: { id: 'r' } }] };
  const shared = share(before, after);
  expect(shared).toEqual(after);
  expect(shared.people).toBe(before.people);
  expect(shared.calls).not.toBe(before.calls);
});

test('something gone is not kept', () => {
  expect(share({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 });
  expect(share([1, 2], [1])).toEqual([1]);
  expect(share({ a: null }, { a: { b: 1 } })).toEqual({ a: { b: 1 } });
});
