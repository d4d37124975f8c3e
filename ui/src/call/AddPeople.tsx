import { commands } from '#ui/bindings';
import type { CallView, Person } from '#ui/bindings';
import { usePeople } from '#ui/client';
import styles from '#ui/call/AddPeople.module.css';
import { placeIn } from '#ui/call/place-in';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Dialog } from '#ui/components/Dialog';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';
import { presence } from '#ui/words';

/** Rings more people into a call that goes on. */
export function AddPeople({ call, onClose }: { call: CallView; onClose: () => void }) {
  const people = usePeople();
  return (
    <Dialog title="Add people" onClose={onClose}>
      <ul className={styles.list} aria-label="People">
        {people.map((person) => (
          <Row key={person.id} call={call} person={person} />
        ))}
        {people.length === 0 && <li className={styles.nobody}>Nobody else is on this server yet.</li>}
      </ul>
    </Dialog>
  );
}

function Row({ call, person }: { call: CallView; person: Person }) {
  const place = placeIn(call, person.id);
  return (
    <li className={styles.person}>
      <Avatar name={person.name} size={36} presence={person.presence} id={person.id} />
      <p>
        <strong title={person.name}>{person.name}</strong>
        <small>{place ?? presence(person)}</small>
      </p>
      {place !== 'In this call' && place !== 'Ringing…' && (
        <Button
          label={`Add ${person.name}`}
          kind="round"
          onPress={() => void attempt(commands.addPeople(call.cid, [person.id]))}
        >
          <span className={styles.ring}>
            <Icon name="phone" />
          </span>
        </Button>
      )}
    </li>
  );
}
