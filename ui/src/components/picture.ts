import { useEffect, useState } from 'react';

import { commands } from '#ui/bindings';
import type { UserId } from '#ui/bindings';
import { useClient } from '#ui/client';

/** Pictures by person and tag, asked for once. What could not be had is asked for again later. */
const pictures = new Map<string, Promise<string | null>>();

function picture(id: UserId, tag: string): Promise<string | null> {
  const key = `${id} ${tag}`;
  const known = pictures.get(key);
  if (known !== undefined) {
    return known;
  }
  const asked = commands.avatar(id).then((answer) => {
    if (answer.status === 'ok') {
      return answer.data;
    }
    pictures.delete(key);
    return null;
  });
  pictures.set(key, asked);
  return asked;
}

/** Somebody's picture as an address; `null` without one, and until it is here. */
export function usePicture(id: UserId | undefined): string | null {
  const tag = useClient((client) =>
    client.me.id === id ? client.me.avatar : client.people.find((person) => person.id === id)?.avatar,
  );
  const [shown, show] = useState<{ tag: string; address: string | null } | null>(null);
  useEffect(() => {
    if (id === undefined || tag === undefined || tag === null) {
      return;
    }
    let isWanted = true;
    void picture(id, tag).then((address) => {
      if (isWanted) {
        show({ tag, address });
      }
    });
    return () => {
      isWanted = false;
    };
  }, [id, tag]);
  return shown !== null && shown.tag === tag ? shown.address : null;
}
