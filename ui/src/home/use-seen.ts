import { useEffect } from 'react';

import { commands } from '#ui/bindings';
import { useClient, useHistory } from '#ui/client';

/** The newest missed call that nobody has looked at. */
function newestUnseen(history: ReturnType<typeof useHistory>): number | undefined {
  return history.find((entry) => entry.unseen)?.id;
}

/**
 * Missed calls are looked at when somebody is there: the window is in front, and after they came a hand or a key has moved.
 * Who has left it open and fetches coffee still finds them marked.
 */
export function useSeen(): void {
  const newest = newestUnseen(useHistory());
  const isOnline = useClient((client) => client.connection.status === 'online') ?? false;
  useEffect(() => {
    if (newest === undefined || !isOnline) {
      return;
    }
    let isTold = false;
    const look = () => {
      if (isTold || document.visibilityState !== 'visible' || !document.hasFocus()) {
        return;
      }
      isTold = true;
      // Nobody has asked for this: when it fails, it is tried again at the next look.
      void commands.markMissedSeen().catch(() => {
        isTold = false;
      });
    };
    // A page that changes under a hand that rests reports a move as well.
    const move = (event: PointerEvent) => {
      if (event.movementX !== 0 || event.movementY !== 0) {
        look();
      }
    };
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerdown', look);
    window.addEventListener('keydown', look);
    window.addEventListener('focus', look);
    return () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerdown', look);
      window.removeEventListener('keydown', look);
      window.removeEventListener('focus', look);
    };
  }, [newest, isOnline]);
}
