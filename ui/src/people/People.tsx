import { commands } from '#ui/bindings';
import type { Person } from '#ui/bindings';
import { useClient, useFavourites, useIsKnown, useMayCall, usePeople } from '#ui/client';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { callable } from '#ui/people/order';
import styles from '#ui/people/People.module.css';
import { Rest, SearchField } from '#ui/people/Search';
import { useFound } from '#ui/people/use-found';
import { attempt } from '#ui/problems';
import { presence } from '#ui/words';

/** Fewer people than this need no search. */
const WORTH_SEARCHING = 7;

type Props = {
  onInvite: (() => void) | null;
  /** What is looked for; kept by whoever shows this, for when it is shown again. */
  text: string;
  onText: (text: string) => void;
};

/** Everybody on the server, each with the buttons that ring. */
export function People({ onInvite, text, onText }: Props) {
  const people = callable(usePeople());
  const isAlone = useClient((client) => client.peopleTotal === 0) ?? true;
  const isKnown = useIsKnown();
  if (!isKnown && people.length === 0) {
    return (
      <div className={styles.empty} role="status">
        <p>Connecting…</p>
      </div>
    );
  }
  if (people.length === 0 && isAlone) {
    return (
      <div className={styles.empty}>
        <p>Nobody else is here yet.</p>
        {onInvite !== null && <Button label="Invite your first friend" kind="main" onPress={onInvite} />}
      </div>
    );
  }
  return <List count={people.length} text={text} onText={onText} />;
}

function List({ count, text, onText }: { count: number; text: string; onText: (text: string) => void }) {
  const favourites = useFavourites();
  const { people, others, more } = useFound(text);
  const total = useClient((client) => client.peopleTotal) ?? 0;
  const hidden = useClient((client) => Math.max(0, client.peopleTotal - client.people.length)) ?? 0;
  return (
    <div className={styles.people}>
      {count + hidden >= WORTH_SEARCHING && (
        <SearchField hint={hidden > 0 ? `Search ${total} people` : 'Search'} text={text} onText={onText} />
      )}
      <ul className={styles.list} aria-label="People">
        {people.map((person) => (
          <PersonRow key={person.id} person={person} isFavourite={favourites.includes(person.id)} />
        ))}
        <Rest found={people.length} text={text} others={others} more={more} />
      </ul>
    </div>
  );
}

function PersonRow({ person, isFavourite }: { person: Person; isFavourite: boolean }) {
  const mayCall = useMayCall();
  const ring = (video: boolean) => void attempt(commands.ring([person.id], video), `ring ${person.id}`);
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
      {mayCall && (
        <div className={styles.call}>
          <Button label={`Call ${person.name}`} kind="round" onPress={() => ring(false)}>
            <Icon name="phone" />
          </Button>
          <Button label={`Call ${person.name} with video`} kind="round" onPress={() => ring(true)}>
            <Icon name="video" size={22} />
          </Button>
        </div>
      )}
    </li>
  );
}
