import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { Person } from '#ui/bindings';
import { useClient, useFavourites, usePeople } from '#ui/client';
import { bestFirst, callable, found } from '#ui/people/order';

/** The server is asked when the typing pauses, in milliseconds. */
const TYPING = 200;

/** Who can be called, by what is typed. */
export type Found = {
  people: Person[];
  /** What the server knows beyond them. */
  others: 'known' | 'asking' | 'failed';
  /** Asks the server for more of them; absent when there are none. */
  more: (() => void) | null;
};

/** Looks among the people this device knows, and on a large server among all. */
export function useFound(text: string): Found {
  const known = callable(usePeople());
  const favourites = useFavourites();
  const mine = bestFirst(found(known, text), favourites);
  const { people, others, more } = useOthers(text.trim());
  const rest = people.filter((person) => !mine.some((other) => other.id === person.id));
  return { people: [...mine, ...rest], others, more };
}

type Page = { text: string; people: Person[]; next: string | null; hasFailed: boolean };

/** People of a large server, of whom this device is not told by itself. */
function useOthers(text: string): Found {
  const isLarge = useClient((client) => client.peopleTotal > client.people.length) ?? false;
  const me = useClient((client) => client.me.id);
  const [page, setPage] = useState<Page>({ text: '', people: [], next: null, hasFailed: false });
  const [after, setAfter] = useState<{ text: string; place: string } | null>(null);
  const from = after?.text === text ? after.place : null;
  const isWanted = isLarge && text !== '';
  useEffect(() => {
    if (!isWanted) {
      return;
    }
    let isStill = true;
    const take = (answer: Awaited<ReturnType<typeof commands.findPeople>>) => {
      if (!isStill) {
        return;
      }
      const found = answer.status === 'ok' ? answer.data : { people: [], next: null };
      setPage((before) => ({
        text,
        people: [...(from === null ? [] : before.people), ...found.people],
        next: found.next ?? null,
        hasFailed: answer.status === 'error',
      }));
    };
    const timer = setTimeout(() => void commands.findPeople(text, from).then(take), from === null ? TYPING : 0);
    return () => {
      isStill = false;
      clearTimeout(timer);
    };
  }, [isWanted, text, from]);
  if (!isWanted) {
    return { people: [], others: 'known', more: null };
  }
  if (page.text !== text) {
    return { people: [], others: 'asking', more: null };
  }
  const people = callable(page.people).filter((person) => person.id !== me);
  const { next, hasFailed } = page;
  return {
    people,
    others: hasFailed ? 'failed' : 'known',
    more: next === null ? null : () => setAfter({ text, place: next }),
  };
}
