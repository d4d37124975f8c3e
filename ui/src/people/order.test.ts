import { expect, test } from 'vitest';

import type { Person } from '#ui/bindings';
import { bestFirst, callable, found } from '#ui/people/order';

const person = (id: string, name: string, presence: Person['presence']): Person => ({
  id,
  name,
  role: 'user',
  presence,
  avatar: null,
});
const people = [
  person('ann', 'Ann Ägren', 'offline'),
  person('ben', 'Ben', 'in_call'),
  person('cleo', 'Cleo', 'offline'),
  person('dan', 'Dan', 'online'),
];

test('who can be reached comes first and the rest keeps its order', () => {
  expect(bestFirst(people, []).map((known) => known.id)).toEqual(['ben', 'dan', 'ann', 'cleo']);
});

test('favourites come before all others', () => {
  expect(bestFirst(people, ['cleo', 'dan']).map((known) => known.id)).toEqual(['dan', 'cleo', 'ben', 'ann']);
});

test('a program is nobody to call', () => {
  const shop: Person = { ...person('shop', 'Shop', 'offline'), is_program: true };
  expect(callable([...people, shop])).toEqual(people);
});

test('a search finds every word in name or id', () => {
  expect(found(people, ' ÄG ann ').map((known) => known.id)).toEqual(['ann']);
  expect(found(people, '')).toHaveLength(4);
  expect(found(people, 'nobody')).toHaveLength(0);
});
