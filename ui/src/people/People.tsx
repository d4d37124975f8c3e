import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { Person } from '#ui/bindings';
import { useClient, useFavourites, useIsKnown, usePeople } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { bestFirst, callable, found } from '#ui/people/order';
import styles from '#ui/people/People.module.css';
import { attempt } from '#ui/problems';
import { presence } from '#ui/words';

/** Fewer people than this need no search. */
const WORTH_SEARCHING = 7;
/** The server is asked when the typing pauses, in milliseconds. */
const TYPING = 200;

/** Everybody on the server, each with the buttons that ring. */
export function People({ onInvite }: { onInvite: (() => void) | null }) {
  const people = callable(usePeople());
  const isKnown = useIsKnown();
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
        {onInvite !== null && <Button label="Invite your first friend" kind="main" onPress={onInvite} />}
      </div>
    );
  }
  return <Found people={people} />;
}

function Found({ people }: { people: Person[] }) {
  const favourites = useFavourites();
  const [text, setText] = useState('');
  const others = useOthers(text);
  const mine = found(people, text);
  const more = others.filter((person) => !mine.some((known) => known.id === person.id));
  const shown = [...bestFirst(mine, favourites), ...more];
  const total = useClient((client) => client.peopleTotal) ?? 0;
  const hidden = useClient((client) => Math.max(0, client.peopleTotal - client.people.length)) ?? 0;
  return (
    <div className={styles.people}>
      {people.length + hidden >= WORTH_SEARCHING && (
        <label className={styles.search}>
          <Icon name="search" size={18} />
          <input
            aria-label="Search people"
            placeholder={hidden > 0 ? `Search ${total} people` : 'Search'}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
      )}
      <ul className={styles.list} aria-label="People">
        {shown.map((person) => (
          <PersonRow key={person.id} person={person} isFavourite={favourites.includes(person.id)} />
        ))}
        {shown.length === 0 && <li className={styles.empty}>Nobody is called “{text}” here.</li>}
      </ul>
    </div>
  );
}

const NOBODY: Person[] = [];

/** People of a large server, of whom this device is not told by itself. */
function useOthers(text: string): Person[] {
  const isLarge = useClient((client) => client.peopleTotal > client.people.length) ?? false;
  const [others, setOthers] = useState<{ text: string; people: Person[] }>({ text: '', people: [] });
  const wanted = text.trim();
  useEffect(() => {
    if (!isLarge || wanted === '') {
      return;
    }
    let isWanted = true;
    const timer = setTimeout(() => {
      void attempt(commands.findPeople(wanted)).then((people) => {
        if (isWanted) {
          setOthers({ text: wanted, people: callable(people ?? []) });
        }
      });
    }, TYPING);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [isLarge, wanted]);
  return others.text === wanted ? others.people : NOBODY;
}

function PersonRow({ person, isFavourite }: { person: Person; isFavourite: boolean }) {
  const ring = (video: boolean) => void attempt(commands.ring([person.id], video));
  return (
    <li className={styles.person}>
      <Avatar name={person.name} size={40} presence={person.presence} id={person.id} />
      <div className={styles.who}>
        <strong title={person.name}>{person.name}</strong>
        <span>{presence(person)}</span>
      </div>
      <div className={styles.star} data-on={isFavourite}>
        <Button
          label={isFavourite ? `Take ${person.name} out of the favourites` : `Make ${person.name} a favourite`}
          kind="round"
          pressed={isFavourite}
          onPress={() => void attempt(commands.setFavourite(person.id, !isFavourite))}
        >
          <Icon name={isFavourite ? 'starred' : 'star'} size={18} />
        </Button>
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
