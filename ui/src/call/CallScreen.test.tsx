// @vitest-environment jsdom
import { mockIPC } from '@tauri-apps/api/mocks';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, expect, test } from 'vitest';

import type { AppState, CallView, Capability, ParticipantView } from '#ui/bindings';
import { CallScreen } from '#ui/call/CallScreen';
import { forget, take } from '#ui/client';
import { appWith, callThat } from '#ui/fixtures';

let sent: [string, unknown][];

beforeEach(() => {
  const there = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean; ResizeObserver?: unknown };
  there.IS_REACT_ACT_ENVIRONMENT = true;
  // The size of a stage that is not drawn is of no interest.
  there.ResizeObserver = class {
    observe() {
      return undefined;
    }
    disconnect() {
      return undefined;
    }
  };
  sent = [];
  mockIPC((command, payload) => {
    // Levels are listened to.
    if (command.startsWith('plugin:')) {
      return 1;
    }
    sent.push([command, payload]);
    return null;
  });
  forget();
  document.body.replaceChildren();
});

function person(identity: string, name: string, isMe = false): ParticipantView {
  return { identity, name, isMe, microphoneOn: true, cameraOn: false, audioTrack: null, videoTrack: null };
}

function callWith(ownCapabilities: Capability[], speakerTrouble: string | null = null, speakerOn = true): CallView {
  const participants = [person('ann/1', 'Ann', true), person('ben/1', 'Ben'), person('cleo/1', 'Cleo')];
  const off = { status: 'off' } as const;
  const joined = {
    since: null,
    longestMs: null,
    microphone: off,
    camera: off,
    speakerOn,
    speakerTrouble,
    participants,
  };
  return { ...callThat('joined', 'outgoing'), ownCapabilities, joined };
}

function show(call: CallView, app: Partial<AppState> = {}): void {
  act(() => take({ ...appWith(1, [call]), ...app }));
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  act(() => root.render(<CallScreen call={call} onSettings={() => undefined} />));
}

function button(name: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll('button')].find((found) => (found.ariaLabel ?? found.textContent) === name);
}

function press(name: string): void {
  act(() => button(name)?.click());
}

test('who may do everything finds everything', () => {
  show(
    callWith(['send-audio', 'send-video', 'end-call', 'ring', 'update-members', 'mute-users', 'remove-participant']),
  );
  for (const name of ['Unmute', 'Camera on', 'End for everyone', 'Add people', 'Order for Ben', 'Order for Cleo']) {
    expect(button(name)?.disabled, name).toBe(false);
  }
  expect(button('Order for Ann'), 'nobody keeps himself in order').toBeUndefined();
  press('Order for Ben');
  expect(button('Mute Ben')).toBeDefined();
});

test('what a listener may not do is not offered, and it is said why he cannot speak', () => {
  show(callWith(['read-call', 'join-call']));
  expect([button('Unmute')?.disabled, button('Camera on')?.disabled]).toEqual([true, true]);
  for (const name of ['End for everyone', 'Add people', 'Order for Ben']) {
    expect(button(name), name).toBeUndefined();
  }
  expect(document.body.textContent).toContain('You may only listen here');
  expect(button('Hang up')?.disabled, 'everybody may go').toBe(false);
});

test('a speaker that does not work is told, because nobody would be heard', () => {
  show(callWith(['send-audio'], 'The speaker does not work. Choose another in the settings.'));
  expect(document.querySelector('[role=alert]')?.textContent).toContain('The speaker does not work');
});

test('a call that begins with the sound off says so and how it is switched on', () => {
  show(callWith(['send-audio'], null, false));
  expect(document.body.textContent).toContain('You do not hear the others');
  press('Sound on');
  expect(sent).toEqual([['set_speaker', { cid: 'default:1', on: true }]]);
});

test('one slip neither ends the call for all nor puts somebody out', () => {
  show(callWith(['send-audio', 'end-call', 'remove-participant']));
  press('End for everyone');
  press('Order for Cleo');
  press('Put Cleo out of the call');
  expect(sent).toEqual([]);
  press('Really put Cleo out');
  press('Really end for everyone');
  expect(sent).toEqual([
    ['put_out', { cid: 'default:1', user: 'cleo' }],
    ['end', { cid: 'default:1' }],
  ]);
});

test('a listener asks to speak, once, and is told when he may', async () => {
  show(callWith([]));
  await act(async () => {
    button('Ask to speak')?.click();
    await new Promise((done) => setTimeout(done));
  });
  expect(sent).toEqual([['ask_to_speak', { cid: 'default:1' }]]);
  expect(button('Asked')?.disabled).toBe(true);
});

test('who may give is asked, and his answer goes to the one who asked', () => {
  const asked: AppState['asked'] = [
    { id: 4, cid: 'default:1', user: 'ben', capabilities: ['send-audio'] },
    { id: 5, cid: 'default:2', user: 'ben', capabilities: ['send-audio'] },
  ];
  show(callWith(['send-audio']), { asked });
  expect(document.body.textContent).toContain('Ben asks to speak');
  expect(document.querySelectorAll('[data-role=asked]'), 'not of another call').toHaveLength(1);
  press('Allow');
  press('Not now');
  expect(sent).toEqual([
    ['allow_asked', { id: 4 }],
    ['pass_over', { id: 4 }],
  ]);
});

test('a call that its limit ends says when', () => {
  show(callWith(['send-audio']), { endings: [{ cid: 'default:1', at: Date.now() + 60_400, longestMs: 120_000 }] });
  expect(document.body.textContent).toContain('This call ends for everybody at');
  expect(document.body.textContent).toContain('1:00');
});

test('a backstage is opened at once and closed on purpose, by who may', () => {
  const backstage = { status: 'backstage', opensAt: null } as const;
  show({ ...callWith(['send-audio']), opening: backstage });
  expect(document.body.textContent).toContain('Nobody else gets in before this call goes live.');
  expect(button('Go live')).toBeUndefined();
  document.body.replaceChildren();
  forget();
  show({ ...callWith(['send-audio', 'go-live']), opening: backstage });
  press('Go live');
  document.body.replaceChildren();
  forget();
  show({ ...callWith(['send-audio', 'go-live']), opening: { status: 'live' } });
  press('Close');
  press('Really close');
  expect(sent).toEqual([
    ['go_live', { cid: 'default:1', on: true }],
    ['go_live', { cid: 'default:1', on: false }],
  ]);
});
