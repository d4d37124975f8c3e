// @vitest-environment jsdom
import { mockIPC } from '@tauri-apps/api/mocks';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeEach, expect, test } from 'vitest';

import type { CallView, Capability, ParticipantView } from '#ui/bindings';
import { CallScreen } from '#ui/call/CallScreen';
import { forget, take } from '#ui/client';
import { appWith, callThat } from '#ui/fixtures';

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
  // Levels are listened to.
  mockIPC(() => 1);
  forget();
  document.body.replaceChildren();
});

function person(identity: string, name: string, isMe = false): ParticipantView {
  return { identity, name, isMe, microphoneOn: true, cameraOn: false, audioTrack: null, videoTrack: null };
}

function callWith(ownCapabilities: Capability[], speakerTrouble: string | null = null, speakerOn = true): CallView {
  const participants = [person('ann/1', 'Ann', true), person('ben/1', 'Ben'), person('cleo/1', 'Cleo')];
  const off = { status: 'off' } as const;
  const joined = { since: null, microphone: off, camera: off, speakerOn, speakerTrouble, participants };
  return { ...callThat('joined', 'outgoing'), ownCapabilities, joined };
}

function show(call: CallView): void {
  act(() => take(appWith(1, [call])));
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  act(() => root.render(<CallScreen call={call} />));
}

function button(name: string): HTMLButtonElement | undefined {
  return [...document.querySelectorAll('button')].find((found) => (found.ariaLabel ?? found.textContent) === name);
}

test('who may do everything finds everything', () => {
  show(
    callWith(['send-audio', 'send-video', 'end-call', 'ring', 'update-members', 'mute-users', 'remove-participant']),
  );
  for (const name of [
    'Unmute',
    'Camera on',
    'End for everyone',
    'Add people',
    'Mute Ben',
    'Put Cleo out of the call',
  ]) {
    expect(button(name)?.disabled, name).toBe(false);
  }
  expect(button('Mute Ann'), 'nobody is told to mute himself').toBeUndefined();
});

test('what a listener may not do is not offered, and it is said why he cannot speak', () => {
  show(callWith(['read-call', 'join-call']));
  expect([button('Unmute')?.disabled, button('Camera on')?.disabled]).toEqual([true, true]);
  for (const name of ['End for everyone', 'Add people', 'Mute Ben', 'Put Ben out of the call']) {
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
  const asked: unknown[] = [];
  mockIPC((command, payload) => {
    asked.push([command, payload]);
    return null;
  });
  const call = callWith(['send-audio'], null, false);
  show(call);
  expect(document.body.textContent).toContain('You do not hear the others');
  act(() => button('Sound on')?.click());
  expect(asked).toContainEqual(['set_speaker', { cid: call.cid, on: true }]);
});
