import { commands } from '#ui/bindings';
import type { Asked, CallId, Capability } from '#ui/bindings';
import { useApp, useNames } from '#ui/client';
import styles from '#ui/call/Banner.module.css';
import { Button } from '#ui/components/Button';
import { attempt } from '#ui/problems';

const NOBODY: Asked[] = [];

/** Who asks for what this person may give. */
export function Asks({ cid }: { cid: CallId }) {
  const asked = useApp((app) => app?.asked) ?? NOBODY;
  const name = useNames();
  return asked
    .filter((ask) => ask.cid === cid)
    .map((ask) => (
      <section key={ask.id} className={styles.banner} role="status" data-role="asked">
        <p>
          <strong>{name(ask.user)}</strong> asks {wanted(ask.capabilities)}
        </p>
        <Button label="Not now" onPress={() => void commands.passOver(ask.id)} />
        <Button label="Allow" kind="main" onPress={() => void attempt(commands.allowAsked(ask.id))} />
      </section>
    ));
}

function wanted(capabilities: Capability[]): string {
  const [first, ...rest] = capabilities;
  if (rest.length === 0 && first === 'send-audio') {
    return 'to speak';
  }
  if (rest.length === 0 && first === 'send-video') {
    return 'to show a picture';
  }
  return rest.length === 0 && first === 'share-screen' ? 'to share the screen' : 'to take part';
}
