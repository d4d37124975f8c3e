import type { ReactNode } from 'react';

import type { ParticipantView } from '#ui/bindings';
import styles from '#ui/call/Tile.module.css';
import { userOf } from '#ui/call/user-of';
import { Avatar } from '#ui/components/Avatar';
import { Icon } from '#ui/components/Icon';
import { useLevel } from '#ui/levels';
import { Picture } from '#ui/video/Picture';

/** Louder than this is speech, not breath (0 to 100). */
const SPEAKING = 35;

type Props = { participant: ParticipantView; size: { width: number; height: number }; children?: ReactNode };

/** One person: the picture, or the initials while there is none; and what can be done about him. */
export function Tile({ participant, size, children }: Props) {
  const level = useLevel(participant.isMe ? null : (participant.audioTrack ?? ''));
  const hasPicture = participant.cameraOn && participant.videoTrack !== null;
  return (
    <figure
      className={styles.tile}
      style={{ width: size.width, height: size.height, margin: 0 }}
      data-role={participant.isMe ? 'my-tile' : 'tile'}
      data-speaking={participant.microphoneOn && level > SPEAKING}
    >
      <Avatar name={participant.name} size={Math.min(120, size.height * 0.45)} id={userOf(participant.identity)} />
      {hasPicture && participant.videoTrack !== null && (
        <Picture track={participant.videoTrack} isMirrored={participant.isMe} size={size} />
      )}
      {children}
      <figcaption className={styles.name}>
        {!participant.microphoneOn && <Icon name="micOff" size={15} />}
        <span>{participant.isMe ? 'You' : participant.name}</span>
      </figcaption>
    </figure>
  );
}
