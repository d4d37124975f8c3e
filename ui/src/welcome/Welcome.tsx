import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { Back, ErrorBody } from '#ui/bindings';
import { useApp } from '#ui/client';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import type { IconName } from '#ui/components/Icon';
import { HEADLINES, attempt } from '#ui/problems';
import { ComeIn } from '#ui/welcome/ComeIn';
import { Front } from '#ui/welcome/Front';
import { draft } from '#ui/welcome/draft';
import type { Way } from '#ui/welcome/draft';
import styles from '#ui/welcome/Welcome.module.css';

type Props = { error: ErrorBody | null; notice: string | null; back: Back | null };

/** First run, or signed out: start a server, come by an invite, or ask to be let in. */
export function Welcome({ error, notice, back }: Props) {
  const [way, setWay] = useState(error === null ? null : draft.way);
  const choose = (chosen: Way | null) => {
    draft.way = chosen;
    setWay(chosen);
  };
  return (
    <Front says="Calls that ring on the desktop, between people you know. No account anywhere, no company in between.">
      {error !== null && (
        <div className={styles.error} role="alert">
          <strong>{HEADLINES[error.code]}</strong>
          <p>{error.message}</p>
        </div>
      )}
      {notice !== null && (
        <div className={styles.notice} role="status">
          {notice}
        </div>
      )}
      {way === null ? (
        <>
          <Ways back={back} onChoose={choose} />
          {back === 'signIn' && (
            <div className={styles.back}>
              <p>Your sign-in is kept until you have come in by another way.</p>
              <Button label="Back to my sign-in" onPress={() => void attempt(commands.tryAgain())} />
            </div>
          )}
        </>
      ) : (
        <ComeIn key={way} way={way} onBack={() => choose(null)} />
      )}
    </Front>
  );
}

function Ways({ back, onChoose }: { back: Back | null; onChoose: (way: Way) => void }) {
  const nearby = useApp((app) => app?.nearby) ?? [];
  const [first, ...more] = nearby;
  const found =
    first === undefined
      ? 'An admin of a server lets you in, after a look at both screens.'
      : more.length === 0
        ? `${first.name} is on this network.`
        : `${first.name} and ${more.length} more are on this network.`;
  return (
    <div className={styles.ways}>
      {back === 'ownServer' && (
        <Choice name="Start my server again" icon="home" onChoose={() => void attempt(commands.tryAgain())}>
          With everybody and everything on it, as it was.
        </Choice>
      )}
      {back !== 'ownServer' && (
        <Choice name="Start my own" icon="home" onChoose={() => onChoose('own')}>
          This computer becomes the server. You invite the others with a link.
        </Choice>
      )}
      <Choice name="I have an invite" icon="ticket" onChoose={() => onChoose('invite')}>
        Somebody sent you a link that begins with bellbird://, or told you a code.
      </Choice>
      <Choice name="Ask to join" icon="door" onChoose={() => onChoose('ask')}>
        {found}
      </Choice>
    </div>
  );
}

type ChoiceProps = { name: string; icon: IconName; onChoose: () => void; children: string };

function Choice({ name, icon, onChoose, children }: ChoiceProps) {
  return (
    <button type="button" className={styles.way} aria-label={name} onClick={onChoose}>
      <Icon name={icon} size={28} />
      <strong>{name}</strong>
      <span>{children}</span>
    </button>
  );
}
