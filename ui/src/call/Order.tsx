import { useState } from 'react';

import { commands } from '#ui/bindings';
import type { CallView, ParticipantView } from '#ui/bindings';
import styles from '#ui/call/Order.module.css';
import { may } from '#ui/call/rights';
import { userOf } from '#ui/call/user-of';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { Sure } from '#ui/components/Sure';
import { attempt } from '#ui/problems';

/**
 * Keeps order in a group: mutes somebody, or puts him out; for who may. In a menu, because in the corner of a tile a cross
 * closes the tile everywhere else. A guest of the media server is no person of this one, whom it could tell.
 */
export function Order({ call, participant }: { call: CallView; participant: ParticipantView }) {
  const [isOpen, open] = useState(false);
  const { name, identity } = participant;
  const mayMute = may(call, 'mute-users') && participant.microphoneOn;
  const mayPutOut = may(call, 'remove-participant');
  if (!identity.includes('/') || !(mayMute || mayPutOut)) {
    return null;
  }
  const user = userOf(identity);
  return (
    <div
      className={styles.order}
      data-open={isOpen}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          open(false);
        }
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          open(false);
        }
      }}
    >
      <Button label={`Order for ${name}`} kind="round" pressed={isOpen} onPress={() => open(!isOpen)}>
        <Icon name="more" />
      </Button>
      {isOpen && (
        <div className={styles.menu} role="group" aria-label={`Order for ${name}`}>
          {mayMute && (
            <Button
              label={`Mute ${name}`}
              kind="plain"
              onPress={() => {
                open(false);
                void attempt(commands.mutePerson(call.cid, user));
              }}
            >
              Mute
            </Button>
          )}
          {mayPutOut && (
            <Sure
              label={`Put ${name} out of the call`}
              sure={`Really put ${name} out`}
              says={['Put out', 'Really put out']}
              kind="plain"
              onPress={() => {
                open(false);
                void attempt(commands.putOut(call.cid, user));
              }}
            />
          )}
        </div>
      )}
    </div>
  );
}
