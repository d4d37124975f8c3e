import { commands } from '#ui/bindings';
import type { WaitingAsk } from '#ui/bindings';
import { useClient } from '#ui/client';
import { Button } from '#ui/components/Button';
import styles from '#ui/door/Door.module.css';
import { attempt } from '#ui/problems';

const NOBODY: WaitingAsk[] = [];

/** Who waits to be let in; for admins. */
export function Door() {
  const asks = useClient((client) => client.asks) ?? NOBODY;
  if (asks.length === 0) {
    return null;
  }
  return (
    <ul className={styles.door} aria-label="Who asks to be let in" aria-live="polite">
      {asks.map((ask) => (
        <Ask key={ask.id} ask={ask} />
      ))}
    </ul>
  );
}

function Ask({ ask }: { ask: WaitingAsk }) {
  const answer = (admit: boolean) => void attempt(commands.answerAsk(ask.id, admit));
  return (
    <li className={styles.ask} data-role="ask">
      <div className={styles.who}>
        <strong>{ask.name} asks to be let in</strong>
        <small>
          From {ask.device_name}. Say yes only if the code there is this one; if they differ, somebody is in between.
        </small>
      </div>
      <span className={styles.code} aria-label={`Code ${ask.code}`}>
        {ask.code}
      </span>
      <div className={styles.answers}>
        <Button label={`Refuse ${ask.name}`} onPress={() => answer(false)}>
          Refuse
        </Button>
        <Button label={`Let ${ask.name} in`} kind="main" onPress={() => answer(true)}>
          Let in
        </Button>
      </div>
    </li>
  );
}
