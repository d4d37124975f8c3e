import { useSyncExternalStore } from 'react';

import { events } from '#ui/bindings';
import type { LevelsChanged } from '#ui/bindings';

let levels: LevelsChanged = { microphone: 0, tracks: [] };
const listeners = new Set<() => void>();
let isListening = false;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!isListening) {
    isListening = true;
    void events.levelsChanged.listen((event) => {
      levels = event.payload;
      for (const told of listeners) {
        told();
      }
    });
  }
  return () => listeners.delete(listener);
}

/** How loud a track is, 0 to 100; `null` is the own microphone. */
export function useLevel(track: string | null): number {
  return useSyncExternalStore(subscribe, () =>
    track === null ? levels.microphone : (levels.tracks.find((level) => level.key === track)?.level ?? 0),
  );
}
