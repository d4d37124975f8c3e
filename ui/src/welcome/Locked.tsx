import { commands } from '#ui/bindings';
import type { ErrorBody } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { attempt } from '#ui/problems';
import { Front } from '#ui/welcome/Front';
import styles from '#ui/welcome/Welcome.module.css';

/** This device is signed in, but what proves it cannot be read now. */
export function Locked({ error }: { error: ErrorBody }) {
  return (
    <Front says="Your sign-in cannot be read. Nothing rings here until it can.">
      <section className={styles.form} role="alert">
        <p className={styles.why}>{error.message}</p>
        <p className={styles.hint}>If the keyring was only started after Bellbird, quit Bellbird and open it again.</p>
        <div className={styles.actions}>
          <Button label="Sign in anew" kind="plain" onPress={() => void attempt(commands.signInAnew())} />
          <Button label="Try again" kind="main" onPress={() => void attempt(commands.tryAgain())} />
        </div>
      </section>
    </Front>
  );
}
