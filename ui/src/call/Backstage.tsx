import { commands } from '#ui/bindings';
import type { CallView } from '#ui/bindings';
import styles from '#ui/call/Banner.module.css';
import { may } from '#ui/call/rights';
import { Button } from '#ui/components/Button';
import { Sure } from '#ui/components/Sure';
import { attempt } from '#ui/problems';
import { clock } from '#ui/words';

/** Whether others get in already, for who is in before them; and the door, for who may open it. */
export function Backstage({ call }: { call: CallView }) {
  const { opening } = call;
  const mayOpen = may(call, 'go-live');
  const go = (on: boolean) => void attempt(commands.goLive(call.cid, on), `live ${call.cid}`);
  switch (opening.status) {
    case 'open':
      return null;
    case 'live':
      return (
        mayOpen && (
          <section className={styles.banner} data-role="backstage">
            <p role="status">
              <strong>Live.</strong> Everybody on the list gets in.
            </p>
            <Sure label="Close" sure="Really close" onPress={() => go(false)} />
          </section>
        )
      );
    case 'backstage':
      return (
        <section className={styles.banner} data-role="backstage">
          <p role="status">
            <strong>Backstage.</strong>{' '}
            {opening.opensAt === null
              ? 'Nobody else gets in before this call goes live.'
              : `Nobody else gets in before ${clock(opening.opensAt)}, or before this call goes live.`}
          </p>
          {mayOpen && <Button label="Go live" kind="main" onPress={() => go(true)} />}
        </section>
      );
  }
}
