import { useSyncExternalStore } from 'react';

import type { Code, ErrorBody } from '#ui/bindings';

let shown: ErrorBody | null = null;
/** What was attempted when it came up. */
let shownOf: string | undefined;
const listeners = new Set<() => void>();

/** What people read above the explanation. A new code does not compile until it has a line here. */
export const HEADLINES: Record<Code, string> = {
  unauthenticated: 'You are not signed in',
  'token-expired': 'The sign-in has to be renewed',
  'permission-denied': 'You may not do this',
  'call-not-found': 'There is no such call',
  'call-ended': 'This call is over',
  'ring-over': 'This call does not ring any more',
  'answered-elsewhere': 'Answered on another device',
  'in-backstage': 'Not open yet',
  'call-full': 'This call is full',
  blocked: 'You are blocked from this call',
  'invalid-request': 'Something does not fit',
  'rate-limited': 'Too many at once',
  conflict: 'This did not work',
  unavailable: 'This cannot be done now',
  'unsupported-version': 'App and server do not fit',
  internal: 'Something went wrong in Bellbird',
};

export function showProblem(problem: ErrorBody | null, of?: string): void {
  shown = problem;
  shownOf = of;
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

/**
 * Waits for a command; a refusal is shown to the person, and the answer is then `undefined`. With the name of what is
 * attempted, a success takes away what an earlier attempt at the same has shown.
 */
export async function attempt<T>(command: Promise<Answer<T>>, of?: string): Promise<T | undefined> {
  try {
    const answer = await command;
    if (answer.status === 'ok') {
      if (of !== undefined && shownOf === of) {
        showProblem(null);
      }
      return answer.data;
    }
    showProblem(answer.error, of);
  } catch (error) {
    showProblem({ code: 'internal', message: `${String(error)}. Try again; if it stays, restart Bellbird.` }, of);
  }
  return undefined;
}
