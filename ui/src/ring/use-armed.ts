import { useEffect, useState } from 'react';

/** A popup appears under a mouse that is busy elsewhere: what is pressed in this time was meant for something else. */
const SAFETY_MS = 500;

/** Whether a surface has been there long enough for a press to be meant for it. */
export function useArmed(): boolean {
  const [isArmed, arm] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => arm(true), SAFETY_MS);
    return () => clearTimeout(timer);
  }, []);
  return isArmed;
}
