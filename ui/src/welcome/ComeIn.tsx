import { useState } from 'react';
import type { SubmitEvent } from 'react';

import { commands } from '#ui/bindings';
import { Button } from '#ui/components/Button';
import { Field } from '#ui/components/Field';
import { attempt, showProblem } from '#ui/problems';
import { Nearby } from '#ui/welcome/Nearby';
import { draft } from '#ui/welcome/draft';
import type { Way } from '#ui/welcome/draft';
import { isSpoken } from '#ui/welcome/spoken';
import styles from '#ui/welcome/Welcome.module.css';

const TITLES: Record<Way, string> = { own: 'Start my own', invite: 'I have an invite', ask: 'Ask to join' };
const VERBS: Record<Way, string> = { own: 'Start', invite: 'Come in', ask: 'Ask' };

/** What has to be known to come in by one of the ways. */
export function ComeIn({ way, onBack }: { way: Way; onBack: () => void }) {
  const [name, setName] = useState(draft.name);
  const [link, setLink] = useState(draft.link);
  const [server, setServer] = useState(draft.server);
  const isReady = name.trim() !== '' && isKnown(way, link, server);
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    if (!isReady) {
      return;
    }
    Object.assign(draft, { name, link, server });
    // A refusal comes back with the state and is shown above the form.
    void attempt(send(way, name, link.trim(), server.trim())).then(() => showProblem(null));
  };
  return (
    <form className={styles.form} onSubmit={go}>
      <h2>{TITLES[way]}</h2>
      {way === 'invite' && (
        <Field name="Invite link or code">
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
      {way === 'invite' && isSpoken(link) && (
        <Address value={server} hint="Not needed if the server is on this network" onChange={setServer} />
      )}
      {way === 'ask' && (
        <>
          <Nearby chosen={server} onChoose={setServer} />
          <Address value={server} hint="192.168.1.7:7480" onChange={setServer} />
        </>
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
          The server runs while Bellbird is open, also as a mere sign in the tray. What people say to each other never
          leaves it.
        </p>
      )}
      <div className={styles.actions}>
        <Button label="Back" kind="plain" onPress={onBack} />
        <Button label={VERBS[way]} kind="main" disabled={!isReady} />
      </div>
    </form>
  );
}

function Address({ value, hint, onChange }: { value: string; hint: string; onChange: (value: string) => void }) {
  return (
    <Field name="Address of the server">
      <input
        name="server"
        value={value}
        placeholder={hint}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}

function isKnown(way: Way, link: string, server: string): boolean {
  switch (way) {
    case 'own':
      return true;
    case 'invite':
      return link.trim() !== '';
    case 'ask':
      return server.trim() !== '';
  }
}

function send(way: Way, name: string, link: string, server: string) {
  switch (way) {
    case 'own':
      return commands.startOwnServer(name);
    case 'invite':
      return commands.acceptInvite(link, isSpoken(link) ? server : '', name);
    case 'ask':
      return commands.askToJoin(server, name);
  }
}
