import { useNow } from '#ui/components/use-now';
import { duration } from '#ui/words';

/** How long the call has been going on. */
export function Timer({ since }: { since: number }) {
  const now = useNow(500);
  return (
    <span role="timer" aria-label="Time in the call">
      {duration(now - since)}
    </span>
  );
}
