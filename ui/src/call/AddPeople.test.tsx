// @vitest-environment jsdom
import { beforeEach, expect, test } from 'vitest';

import type { Capability, Person } from '#ui/bindings';
import { AddPeople } from '#ui/call/AddPeople';
import { callThat } from '#ui/fixtures';
import { button, fresh, press, show, text, told } from '#ui/test-screen';
import type { Sent } from '#ui/test-screen';

let sent: Sent[];

beforeEach(() => {
  // jsdom has no dialogs that open.
  HTMLDialogElement.prototype.showModal = () => undefined;
  HTMLDialogElement.prototype.close = () => undefined;
  sent = fresh();
});

const person = (id: string, name: string): Person => ({ id, name, role: 'user', presence: 'online', avatar: null });
const people = [person('ben', 'Ben'), person('cleo', 'Cleo'), { ...person('shop', 'Shop'), is_program: true }];

function open(video: boolean, ownCapabilities: Capability[]): void {
  told(1, { people, peopleTotal: 3 });
  show(<AddPeople call={{ ...callThat('joined', 'outgoing'), video, ownCapabilities }} onClose={() => undefined} />);
}

test('people are rung into a call as it is: with video where there is video', async () => {
  open(true, ['ring', 'update-members']);
  expect(button('Add Shop'), 'a program cannot be rung').toBeUndefined();
  await press('Add Cleo');
  expect(sent).toEqual([['add_people', { cid: 'default:1', people: ['cleo'], video: true }]]);
});

test('into a call of voices they are rung without', async () => {
  open(false, ['ring', 'update-members']);
  await press('Add Cleo');
  expect(sent).toEqual([['add_people', { cid: 'default:1', people: ['cleo'], video: false }]]);
});

test('who may not change the list rings who is on it', () => {
  open(false, ['ring']);
  expect(button('Add Ben')).toBeDefined();
  expect(text()).not.toContain('Cleo');
});

test('an outcome is told beside the name, and only what can be rung again has a telephone', () => {
  const target = { user: 'ben', alerted: true, reason: null, message: null };
  const call = (outcome: 'ringing' | 'declined') => ({
    ...callThat('joined', 'outgoing'),
    ownCapabilities: ['ring' as const],
    ring: { id: 'r1', endsAt: 0, targets: [{ ...target, outcome }] },
  });
  told(1, { people, peopleTotal: 3 });
  show(<AddPeople call={call('ringing')} onClose={() => undefined} />);
  expect(text()).toContain('Ringing…');
  expect(button('Add Ben')).toBeUndefined();
  document.body.replaceChildren();
  show(<AddPeople call={call('declined')} onClose={() => undefined} />);
  expect(text()).toContain('Declined');
  expect(button('Add Ben')).toBeDefined();
});
