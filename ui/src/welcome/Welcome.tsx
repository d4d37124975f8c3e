import { useState } from 'react';
import type { SubmitEvent } from 'react';

import mark from '../../../icons/bellbird.svg';
import { commands } from '#ui/bindings';
import type { ErrorBody } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { Field } from '#ui/components/Field';
import { Icon } from '#ui/components/Icon';
import { HEADLINES, attempt, showProblem } from '#ui/problems';
import styles from '#ui/welcome/Welcome.module.css';

type Way = 'own' | 'invite';

/** What was typed survives a refusal, for which this screen goes and comes back. */
const draft: { way: Way | null; name: string; link: string } = { way: null, name: '', link: '' };

/** First run, or signed out: start a server, or come by an invite. */
export function Welcome({ error, notice }: { error: ErrorBody | null; notice: string | null }) {
  const [way, setWay] = useState(error === null ? null : draft.way);
  const choose = (chosen: Way | null) => {
    draft.way = chosen;
    setWay(chosen);
  };
  return (
    <main className={styles.welcome}>
      <div className={styles.middle}>
        <header className={styles.head}>
          <img className={styles.mark} src={mark} alt="" />
          <h1>Bellbird</h1>
          <p>Calls that ring on the desktop, between people you know. No account anywhere, no company in between.</p>
        </header>
        {error !== null && (
          <div className={styles.error} role="alert">
            <strong>{HEADLINES[error.code]}.</strong> {error.message}
          </div>
        )}
        {notice !== null && (
          <div className={styles.notice} role="status">
            {notice}
          </div>
        )}
        {way === null ? <Ways onChoose={choose} /> : <Form way={way} onBack={() => choose(null)} />}
      </div>
    </main>
  );
}

function Ways({ onChoose }: { onChoose: (way: Way) => void }) {
  return (
    <div className={styles.ways}>
      <button type="button" className={styles.way} aria-label="Start my own" onClick={() => onChoose('own')}>
        <Icon name="home" size={28} />
        <strong>Start my own</strong>
        <span>This computer becomes the server. You invite the others with a link.</span>
      </button>
      <button type="button" className={styles.way} aria-label="I have an invite" onClick={() => onChoose('invite')}>
        <Icon name="ticket" size={28} />
        <strong>I have an invite</strong>
        <span>Somebody sent you a link that begins with bellbird://</span>
      </button>
    </div>
  );
}

function Form({ way, onBack }: { way: Way; onBack: () => void }) {
  const [name, setName] = useState(draft.name);
  const [link, setLink] = useState(draft.link);
  const isReady = name.trim() !== '' && (way === 'own' || link.trim() !== '');
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    if (!isReady) {
      return;
    }
    draft.name = name;
    draft.link = link;
    const command = way === 'own' ? commands.startOwnServer(name) : commands.acceptInvite(link.trim(), name);
    // A refusal comes back with the state and is shown above the form.
    void attempt(command).then(() => showProblem(null));
  };
  return (
    <form className={styles.form} onSubmit={go}>
      <h2>{way === 'own' ? 'Start my own' : 'I have an invite'}</h2>
      {way === 'invite' && (
        <Field name="Invite link">
          <input
            autoFocus
            name="link"
            value={link}
            placeholder="bellbird://join/…"
            spellCheck={false}
            onChange={(event) => setLink(event.target.value)}
          />
        </Field>
      )}
      <Field name="Your name">
        <input
          autoFocus={way === 'own'}
          name="name"
          value={name}
          maxLength={100}
          placeholder="As the others know you"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      {way === 'own' && (
        <p className={styles.hint}>
          The server runs while Bellbird is open, also with its window closed. What people say to each other never
          leaves it.
        </p>
      )}
      <div className={styles.actions}>
        <Button label="Back" kind="plain" onPress={onBack} />
        <Button label={way === 'own' ? 'Start' : 'Come in'} kind="main" disabled={!isReady} />
      </div>
    </form>
  );
}
