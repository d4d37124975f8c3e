import { mockIPC } from '@tauri-apps/api/mocks';
import { act } from 'react';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

import type { AppState, ClientState } from '#ui/bindings';
import { forget, take } from '#ui/client';
import { appWith } from '#ui/fixtures';

/** What a screen has asked of Rust: command and arguments. */
export type Sent = [command: string, payload: unknown];

/** An empty page, before each test; the answers are by command, one after the other, `null` when there is none. */
export function fresh(answers: Record<string, unknown[]> = {}): Sent[] {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  const sent: Sent[] = [];
  mockIPC((command, payload) => {
    sent.push([command, payload]);
    return answers[command]?.shift() ?? null;
  });
  forget();
  document.body.replaceChildren();
  return sent;
}

/** The state changes: of the app, or of what the device knows. */
export function told(revision: number, client: Partial<ClientState>, app: Partial<AppState> = {}): void {
  const state = { ...appWith(revision, []), ...app };
  if (state.stage.stage === 'ready') {
    state.stage = { stage: 'ready', client: { ...state.stage.client, ...client } };
  }
  act(() => take(state));
}

export function show(screen: ReactNode): void {
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  act(() => root.render(screen));
}

export function text(): string {
  return document.body.textContent;
}

export function button(name: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll('button')].find((found) => (found.ariaLabel ?? found.textContent) === name);
}

/** Presses a button, and waits until what it asks for is answered. */
export async function press(name: string): Promise<void> {
  await act(async () => {
    button(name)?.click();
    await settled();
  });
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) {
    await Promise.resolve();
  }
}
