import { expect, test } from 'vitest';

import { answerOf } from '#ui/ring/answer-keys';

const press = (code: string, rest: Partial<Parameters<typeof answerOf>[0]> = {}) =>
  answerOf({ code, altKey: true, shiftKey: true, ctrlKey: false, metaKey: false, repeat: false, ...rest });

test('three chords answer a ring', () => {
  expect(['KeyA', 'KeyV', 'KeyD'].map((code) => press(code))).toEqual(['accept', 'accept-with-video', 'decline']);
});

test('nothing else does: no single key, no other modifier, no key that is held', () => {
  expect(press('KeyA', { altKey: false })).toBeNull();
  expect(press('KeyA', { shiftKey: false })).toBeNull();
  expect(press('KeyA', { ctrlKey: true })).toBeNull();
  expect(press('KeyA', { repeat: true })).toBeNull();
  expect(press('Enter')).toBeNull();
});
