import type { CallId } from '#ui/bindings';
import { useApp } from '#ui/client';
import styles from '#ui/call/Banner.module.css';
import { useNow } from '#ui/components/use-now';
import { clock, duration } from '#ui/words';

/** The call has a limit, and comes near it. */
export function EndsSoon({ cid }: { cid: CallId }) {
  const at = useApp((app) => app?.endings.find((ending) => ending.cid === cid)?.at);
  return at === undefined ? null : <Ends at={at} />;
}

function Ends({ at }: { at: number }) {
  const now = useNow(1000);
  return (
    <section className={styles.banner} data-kind="warn">
      <p role="status">This call ends for everybody at {clock(at)}: it has lasted as long as it may.</p>
      <span className={styles.left} aria-hidden="true">
        {duration(at - now)}
      </span>
    </section>
  );
}
