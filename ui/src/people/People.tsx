import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { Person } from '#ui/bindings';
import { useIsKnown, usePeople } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { found, reachableFirst } from '#ui/people/order';
import styles from '#ui/people/People.module.css';
import { attempt } from '#ui/problems';
import { presence } from '#ui/words';

/** Fewer people than this need no search. */
const WORTH_SEARCHING = 7;

/** Everybody on the server, each with the buttons that ring. */
export function People({ onInvite }: { onInvite: () => void }) {
  const people = usePeople();
  const isKnown = useIsKnown();
  const [text, setText] = useState('');
  if (!isKnown && people.length === 0) {
    return (
      <div className={styles.empty} role="status">
        <p>Connecting…</p>
      </div>
    );
  }
  if (people.length === 0) {
    return (
      <div className={styles.empty}>
        <p>Nobody else is here yet.</p>
        <Button label="Invite your first friend" kind="main" onPress={onInvite} />
      </div>
    );
  }
  const shown = reachableFirst(found(people, text));
  return (
    <div className={styles.people}>
      {people.length >= WORTH_SEARCHING && (
        <label className={styles.search}>
          <Icon name="search" size={18} />
          <input
            aria-label="Search people"
            placeholder="Search"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
      )}
      <ul className={styles.list} aria-label="People">
        {shown.map((person) => (
          <PersonRow key={person.id} person={person} />
        ))}
        {shown.length === 0 && <li className={styles.empty}>Nobody is called “{text}” here.</li>}
      </ul>
    </div>
  );
}

function PersonRow({ person }: { person: Person }) {
  const ring = (video: boolean) => void attempt(commands.ring([person.id], video));
  return (
    <li className={styles.person}>
      <Avatar name={person.name} size={40} presence={person.presence} />
      <div className={styles.who}>
        <strong>{person.name}</strong>
        <span>{presence(person)}</span>
      </div>
      <div className={styles.call}>
        <Button label={`Call ${person.name}`} kind="round" onPress={() => ring(false)}>
          <Icon name="phone" />
        </Button>
        <Button label={`Call ${person.name} with video`} kind="round" onPress={() => ring(true)}>
          <Icon name="video" size={22} />
        </Button>
      </div>
    </li>
  );
}
