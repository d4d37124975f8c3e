// @vitest-environment jsdom
import { mockIPC } from '@tauri-apps/api/mocks';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, expect, test } from 'vitest';

import type { WaitingAsk } from '#ui/bindings';
import { forget, take } from '#ui/client';
import { Door } from '#ui/door/Door';
import { appWith } from '#ui/fixtures';

beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  forget();
  document.body.replaceChildren();
});

function waiting(revision: number, asks: WaitingAsk[]) {
  const app = appWith(revision, []);
  if (app.stage.stage === 'ready') {
    app.stage.client.asks = asks;
  }
  act(() => take(app));
}

test('an admin sees who asks and the code to compare, and his word goes to the one he means', async () => {
  const asked: unknown[] = [];
  mockIPC((command, payload) => {
    asked.push([command, payload]);
    return null;
  });
  const ask = (id: number, name: string) => ({ id, name, device_name: 'desk', code: `00${id} 000`, expires_at: 0 });
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  waiting(1, [ask(1, 'Cem'), ask(2, 'Eve')]);
  act(() => root.render(<Door />));
  expect(document.body.textContent).toContain('Cem asks to be let in');
  expect(document.body.textContent).toContain('002 000');
  const press = (name: string) =>
    act(async () => {
      document.querySelector<HTMLButtonElement>(`button[aria-label="${name}"]`)?.click();
      await Promise.resolve();
    });
  await press('Let Cem in');
  await press('Refuse Eve');
  expect(asked).toEqual([
    ['answer_ask', { id: 1, admit: true }],
    ['answer_ask', { id: 2, admit: false }],
  ]);
  waiting(2, []);
  expect(document.body.textContent).toBe('');
});
