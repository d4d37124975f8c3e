import { useSyncExternalStore } from 'react';

import type { Code, ErrorBody } from '#ui/bindings';

let shown: ErrorBody | null = null;
const listeners = new Set<() => void>();

/** What people read above the explanation. A new code does not compile until it has a line here. */
export const HEADLINES: Record<Code, string> = {
  unauthenticated: 'This device is not signed in',
  'token-expired': 'The sign-in has to be renewed',
  'permission-denied': 'You may not do this',
  'call-not-found': 'There is no such call',
  'call-ended': 'This call is over',
  'ring-over': 'You missed this call',
  'answered-elsewhere': 'Answered on another device',
  'in-backstage': 'Not open yet',
  'call-full': 'This call is full',
  blocked: 'You are blocked from this call',
  'invalid-request': 'Something does not fit',
  'rate-limited': 'Too fast',
  conflict: 'Somebody was faster',
  unavailable: 'The server cannot be used now',
  'unsupported-version': 'App and server do not fit',
  internal: 'Something went wrong in Bellbird',
};

export function showProblem(problem: ErrorBody | null): void {
  shown = problem;
  for (const listener of listeners) {
    listener();
  }
}

export function useProblem(): ErrorBody | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}

type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: ErrorBody };

/** Waits for a command; a refusal is shown to the person, and the answer is then `undefined`. */
export async function attempt<T>(command: Promise<Answer<T>>): Promise<T | undefined> {
  try {
    const answer = await command;
    if (answer.status === 'ok') {
      return answer.data;
    }
    showProblem(answer.error);
  } catch (error) {
    showProblem({ code: 'internal', message: `${String(error)}. Try again; if it stays, restart Bellbird.` });
  }
  return undefined;
}
