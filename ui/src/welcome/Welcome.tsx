import { useState } from 'react';

import type { ErrorBody } from '#ui/bindings';
import { useApp } from '#ui/client';
import { Icon } from '#ui/components/Icon';
import type { IconName } from '#ui/components/Icon';
import { HEADLINES } from '#ui/problems';
import { ComeIn } from '#ui/welcome/ComeIn';
import { Front } from '#ui/welcome/Front';
import { draft } from '#ui/welcome/draft';
import type { Way } from '#ui/welcome/draft';
import styles from '#ui/welcome/Welcome.module.css';

/** First run, or signed out: start a server, come by an invite, or ask to be let in. */
export function Welcome({ error, notice }: { error: ErrorBody | null; notice: string | null }) {
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
      {way === null ? <Ways onChoose={choose} /> : <ComeIn key={way} way={way} onBack={() => choose(null)} />}
    </Front>
  );
}

function Ways({ onChoose }: { onChoose: (way: Way) => void }) {
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
      <Choice name="Start my own" icon="home" onChoose={() => onChoose('own')}>
        This computer becomes the server. You invite the others with a link.
      </Choice>
      <Choice name="I have an invite" icon="ticket" onChoose={() => onChoose('invite')}>
        Somebody sent you a link that begins with bellbird://, or told you a code.
      </Choice>
      <Choice name="Ask to join" icon="door" onChoose={() => onChoose('ask')}>
        {found}
      </Choice>
    </div>
  );
}

type Props = { name: string; icon: IconName; onChoose: () => void; children: string };

function Choice({ name, icon, onChoose, children }: Props) {
  return (
    <button type="button" className={styles.way} aria-label={name} onClick={onChoose}>
      <Icon name={icon} size={28} />
      <strong>{name}</strong>
      <span>{children}</span>
    </button>
  );
}
