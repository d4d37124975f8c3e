import { useEffect, useRef, useState } from 'react';

import type { CallView, JoinedView } from '#ui/bindings';
import { arrange } from '#ui/call/arrange';
import { Order } from '#ui/call/Order';
import styles from '#ui/call/Stage.module.css';
import { Tile } from '#ui/call/Tile';
import { Avatar } from '#ui/components/Avatar';

const GAP = 8;

/** Everybody in the call, as large as they fit. With one other I am in the corner; among more I have a place beside them. */
export function Stage({ call, joined, others }: { call: CallView; joined: JoinedView; others: string }) {
  const [place, area] = useArea();
  const there = joined.participants.filter((participant) => !participant.isMe);
  const me = joined.participants.find((participant) => participant.isMe);
  const isGroup = there.length > 1;
  const tiles = isGroup && me !== undefined ? [...there, me] : there;
  const { width, height } = arrange(tiles.length, area, GAP);
  return (
    <div ref={place} className={styles.stage}>
      {there.length === 0 ? (
        <div className={styles.waiting} role="status">
          <Avatar name={others} size={112} />
          {joined.since === null ? 'Connecting…' : `Waiting for ${others}…`}
        </div>
      ) : (
        <div className={styles.tiles}>
          {tiles.map((participant) => (
            <Tile key={participant.identity} participant={participant} size={{ width, height }}>
              {isGroup && !participant.isMe && <Order call={call} participant={participant} />}
            </Tile>
          ))}
        </div>
      )}
      {me !== undefined && !isGroup && (
        <div className={styles.mine} data-role="mine">
          <Tile participant={me} size={{ width: 204, height: 113 }} />
        </div>
      )}
    </div>
  );
}

/** The size of an element, followed. */
function useArea() {
  const place = useRef<HTMLDivElement>(null);
  const [area, setArea] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = place.current;
    if (element === null) {
      return;
    }
    const observer = new ResizeObserver(() => {
      setArea({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [place, area] as const;
}
