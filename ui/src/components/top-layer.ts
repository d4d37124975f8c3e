import { useSyncExternalStore } from 'react';

let open: HTMLDialogElement[] = [];
const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) {
    listener();
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A dialog is open, over all before it; the answer closes it. */
export function openOver(dialog: HTMLDialogElement): () => void {
  open = [...open, dialog];
  changed();
  return () => {
    open = open.filter((other) => other !== dialog);
    changed();
  };
}

/** The dialog over everything else, outside of which nothing can be pressed. */
export function useTopDialog(): HTMLDialogElement | undefined {
  return useSyncExternalStore(subscribe, () => open.at(-1));
}
