// @vitest-environment jsdom
import { act } from 'react';
import { expect, test } from 'vitest';

import type { FromOutside } from '#ui/bindings';
import { OwnServer } from '#ui/settings/OwnServer';
import { fresh, settled, show, text } from '#ui/test-screen';

function opened(outside: FromOutside) {
  const sent = fresh({});
  show(<OwnServer server={{ name: 'Ann’s Bellbird', address: '192.168.1.5:7480', outside }} />);
  return sent;
}

async function switched() {
  await act(async () => {
    document.querySelector('input')?.click();
    await settled();
  });
}

test('the outside is let in on purpose, and what came of it is said with what to do', async () => {
  const sent = opened({ way: 'closed' });
  expect(text()).not.toContain('router lets');
  await switched();
  expect(sent).toEqual([['let_outside_in', { on: true }]]);
  const address = '203.0.113.7:7480';
  const words: [FromOutside, string][] = [
    [{ way: 'asking' }, 'Asking your router…'],
    [{ way: 'open', address }, `from anywhere, at ${address}`],
    [{ way: 'untried', address }, 'send somebody outside a new invite'],
    [{ way: 'taken', address }, 'another machine answers'],
    [{ way: 'behind', address: '100.64.1.1:7480' }, 'another router stands before it'],
    [{ way: 'refused', why: 'no router answered' }, 'Nobody comes in from outside: no router answered.'],
  ];
  for (const [outside, says] of words) {
    opened(outside);
    expect(text()).toContain(says);
  }
});

test('what is being asked is not asked again', async () => {
  const sent = opened({ way: 'asking' });
  await switched();
  expect(sent).toEqual([]);
});
