import { commands } from '#ui/bindings';
import type { CallView, ParticipantView } from '#ui/bindings';
import styles from '#ui/call/Order.module.css';
import { may } from '#ui/call/rights';
import { userOf } from '#ui/call/user-of';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';

/** Keeps order in a group: mutes somebody, or puts him out; shown to who may. */
export function Order({ call, participant }: { call: CallView; participant: ParticipantView }) {
  const { name } = participant;
  const user = userOf(participant.identity);
  return (
    <div className={styles.order}>
      {may(call, 'mute-users') && participant.microphoneOn && (
        <Button label={`Mute ${name}`} kind="round" onPress={() => void attempt(commands.mutePerson(call.cid, user))}>
          <Icon name="micOff" />
        </Button>
      )}
      {may(call, 'remove-participant') && (
        <Button
          label={`Put ${name} out of the call`}
          kind="round"
          onPress={() => void attempt(commands.putOut(call.cid, user))}
        >
          <Icon name="close" />
        </Button>
      )}
    </div>
  );
}
