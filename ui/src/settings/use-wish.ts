import { useEffect, useRef, useState } from 'react';

import { commands } from '#ui/bindings';
import type { DoNotDisturb } from '#ui/bindings';
import { useClient } from '#ui/client';
import { attempt } from '#ui/problems';

/** Several changes in a row go out as one, when this has passed without another; in milliseconds. */
const PAUSE = 500;
const NONE: DoNotDisturb = {};

/** A wish of this screen: shown until it was sent and the state has changed, which then says what is so. */
type Draft = { wish: DoNotDisturb; sentOver: DoNotDisturb | null };

/**
 * When the person does not want to be disturbed, and how to change that. A change goes out whole, so that each is made upon
 * the one before, and not upon what the server has told so far.
 */
export function useWish(): [DoNotDisturb, (wish: DoNotDisturb) => void] {
  const told = useClient((client) => client.doNotDisturb) ?? NONE;
  const [draft, change] = useState<Draft | null>(null);
  const unsent = useRef<DoNotDisturb | null>(null);
  const wish = draft !== null && draft.sentOver === null ? draft.wish : null;
  useEffect(() => {
    unsent.current = wish;
    if (wish === null) {
      return;
    }
    const timer = setTimeout(() => {
      unsent.current = null;
      change({ wish, sentOver: told });
      void attempt(commands.setDoNotDisturb(wish), 'quiet').then((done) => {
        if (done === undefined) {
          change((now) => (now?.wish === wish ? null : now));
        }
      });
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [wish, told]);
  // Closed in the middle of it: sent all the same.
  useEffect(
    () => () => {
      if (unsent.current !== null) {
        void attempt(commands.setDoNotDisturb(unsent.current), 'quiet');
      }
    },
    [],
  );
  const isShown = draft !== null && (draft.sentOver === null || draft.sentOver === told);
  return [isShown ? draft.wish : told, (next) => change({ wish: next, sentOver: null })];
}
