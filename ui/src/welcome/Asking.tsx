import { commands } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { Front } from '#ui/welcome/Front';
import styles from '#ui/welcome/Welcome.module.css';

type Props = { server: string; code: string; minutes: number };

/** A server was asked; its admin sees the same code and says yes. */
export function Asking({ server, code, minutes }: Props) {
  return (
    <Front says={`Waiting for an admin of ${server} to let you in.`}>
      <section className={styles.form} role="status">
        <p>An admin sees this code on his screen. Tell him yours, as by telephone; if they differ, he must refuse.</p>
        <strong className={styles.code} data-role="code">
          {code}
        </strong>
        <p className={styles.hint}>
          He has {minutes === 1 ? 'a minute' : `${minutes} minutes`}. You come in by yourself when he says yes.
        </p>
        <div className={styles.actions}>
          <Button label="Do not wait" onPress={() => void commands.stopAsking()} />
        </div>
      </section>
    </Front>
  );
}
