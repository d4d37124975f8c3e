import { commands } from '#ui/bindings';
import type { CallId, CallView } from '#ui/bindings';
import { useNames } from '#ui/client';
import styles from '#ui/call/CallStrip.module.css';
import { isOn } from '#ui/call/devices-on';
import { Avatar } from '#ui/components/Avatar';
import { Button } from '#ui/components/Button';
import { Icon } from '#ui/components/Icon';
import { attempt } from '#ui/problems';
import { together } from '#ui/words';

type Props = { calls: CallView[]; shown: CallId; onShow: (cid: CallId) => void };

/** Several calls at once: which one fills the window, and mute and hang-up for each. */
export function CallStrip({ calls, shown, onShow }: Props) {
  return (
    <nav className={styles.strip} aria-label="Calls you are in">
      {calls.map((call) => (
        <Entry key={call.cid} call={call} isShown={call.cid === shown} onShow={() => onShow(call.cid)} />
      ))}
    </nav>
  );
}

function Entry({ call, isShown, onShow }: { call: CallView; isShown: boolean; onShow: () => void }) {
  const name = useNames();
  const others = together(call.people.map(name));
  const microphoneOn = call.joined !== null && isOn(call.joined.microphone);
  return (
    <div className={styles.entry} data-shown={isShown}>
      <button
        type="button"
        className={styles.who}
        aria-label={`Show the call with ${others}`}
        aria-current={isShown}
        onClick={onShow}
      >
        <Avatar name={others} size={28} />
        <span>{others}</span>
      </button>
      <Button
        label={microphoneOn ? `Mute in the call with ${others}` : `Unmute in the call with ${others}`}
        kind="round"
        onPress={() => void attempt(commands.setMicrophone(call.cid, !microphoneOn))}
      >
        <Icon name={microphoneOn ? 'mic' : 'micOff'} />
      </Button>
      <Button
        label={`Hang up the call with ${others}`}
        kind="bad-round"
        onPress={() => void attempt(commands.leave(call.cid))}
      >
        <Icon name="hangup" />
      </Button>
    </div>
  );
}
