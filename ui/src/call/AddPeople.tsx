import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { CallView, Person } from '#ui/bindings';
import { useClient } from '#ui/client';
import styles from '#ui/call/AddPeople.module.css';
import { isOn } from '#ui/call/devices-on';
import { placeIn } from '#ui/call/place-in';
import { may } from '#ui/call/rights';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Dialog } from '#ui/components/Dialog';
import { Icon } from '#ui/components/Icon';
import { Rest, SearchField } from '#ui/people/Search';
import { useFound } from '#ui/people/use-found';
import { attempt } from '#ui/problems';
import { presence } from '#ui/words';

/** Rings more people into a call that goes on; who may not change its list, only those on it. */
export function AddPeople({ call, onClose }: { call: CallView; onClose: () => void }) {
  const [text, setText] = useState('');
  const { people, others, more } = useFound(text);
  const total = useClient((client) => client.peopleTotal) ?? 0;
  const mayAdd = may(call, 'update-members');
  const shown = mayAdd ? people : people.filter((person) => call.people.includes(person.id));
  return (
    <Dialog title="Add people" onClose={onClose}>
      {total > 0 && (
        <div className={styles.search}>
          <SearchField hint={total === 1 ? 'Search' : `Search ${total} people`} text={text} onText={setText} />
        </div>
      )}
      <ul className={styles.list} aria-label="People">
        {shown.map((person) => (
          <Row key={person.id} call={call} person={person} />
        ))}
        {total === 0 ? (
          <li className={styles.nobody}>Nobody else is on this server yet.</li>
        ) : (
          <Rest found={shown.length} text={text} others={others} more={mayAdd ? more : null} />
        )}
      </ul>
    </Dialog>
  );
}

function Row({ call, person }: { call: CallView; person: Person }) {
  const place = placeIn(call, person.id);
  // Into a call with pictures people are rung with video.
  const video = call.video || (call.joined !== null && isOn(call.joined.camera));
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
          onPress={() => void attempt(commands.addPeople(call.cid, [person.id], video), `add ${person.id}`)}
        >
          <span className={styles.ring}>
            <Icon name={video ? 'video' : 'phone'} />
          </span>
        </Button>
      )}
    </li>
  );
}
